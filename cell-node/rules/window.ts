import type { RuleWindow } from "#schema/api/rules.ts";

type Sample = { readonly at: number; readonly value: number };

/** What a window remembers of one vehicle. Its size is bounded by the window, whatever arrives. Times in milliseconds. */
export type WindowState =
  | { readonly kind: "count"; readonly times: readonly number[] }
  | { readonly kind: "rate"; readonly samples: readonly Sample[] }
  | { readonly kind: "absence"; readonly lastAt: number };

export type WindowStep = { readonly state: WindowState; readonly isOpen: boolean };

/** A rate keeps no two samples that are closer than this part of the window. */
const MAX_SAMPLES = 64;

const takeCount = (before: WindowState | null, seconds: number, atLeast: number, at: number): WindowStep => {
  const known = before?.kind === "count" ? before.times : [];
  const firstInTime = known.findIndex((time) => at - time < seconds * 1000);
  const from = firstInTime === -1 ? known.length : Math.max(firstInTime, known.length + 1 - atLeast);
  const times = known.slice(from);
  times.push(at);
  return { state: { kind: "count", times }, isOpen: times.length >= atLeast };
};

type Rate = Extract<RuleWindow, { kind: "rate" }>;

const takeRate = (before: WindowState | null, { seconds, above, below }: Rate, at: number, value: number): WindowStep => {
  const spanMs = seconds * 1000;
  const known = (before?.kind === "rate" ? before.samples : []).filter((sample) => sample.at < at && at - sample.at <= spanMs);
  const first = known[0];
  const last = known.at(-1);
  const isClose = last !== undefined && at - last.at < spanMs / MAX_SAMPLES;
  const samples = isClose ? known : [...known, { at, value }];
  const perSecond = first === undefined ? null : ((value - first.value) * 1000) / (at - first.at);
  const isOpen = perSecond !== null && ((above !== undefined && perSecond > above) || (below !== undefined && perSecond < below));
  return { state: { kind: "rate", samples }, isOpen };
};

/** Takes a message that passed the filter into its vehicle's window. `value` is what a rate watches. */
export const takeIntoWindow = (window: RuleWindow, before: WindowState | null, at: number, value: number): WindowStep => {
  switch (window.kind) {
    case "count":
      return takeCount(before, window.seconds, window.atLeast, at);
    case "rate":
      return takeRate(before, window, at, value);
    case "absence":
      return { state: { kind: "absence", lastAt: at }, isOpen: false };
  }
};

/** One thing that may happen in a state. Faults may stop happening; everything else is what the parties do when left in peace. */
export type Step<S> = { readonly label: string; readonly next: S; readonly isFault: boolean };

export type Model<S> = {
  readonly initial: S;
  readonly steps: (state: S) => Iterable<Step<S>>;
  /** Must hold in every reachable state. */
  readonly invariants: Readonly<Record<string, (state: S) => boolean>>;
  /** Must hold of every reachable step. */
  readonly stepInvariants: Readonly<Record<string, (before: S, after: S) => boolean>>;
  /** From every reachable state of `from`, one of `to` must be reachable without a fault. */
  readonly goals: Readonly<Record<string, { readonly from: (state: S) => boolean; readonly to: (state: S) => boolean }>>;
  /** Must be reached somewhere: what never happens proves nothing. */
  readonly situations: Readonly<Record<string, (state: S) => boolean>>;
};

export type Verdict =
  | { readonly kind: "holds"; readonly states: number; readonly transitions: number }
  | { readonly kind: "violated"; readonly property: string; readonly trace: readonly string[]; readonly states: number };

/** A state is a record of parts; most steps change one or two of them. */
type Parts = Readonly<Record<string, object>>;

/**
 * Collapse compression (Holzmann, "State compression in SPIN", 1997): each distinct part is kept once and known by a number, and a state by the numbers of
 * its parts. Steps share the parts that they leave alone, so only what has changed is looked at.
 */
const createCollapse = <S extends Parts>() => {
  const numberOfPart = new WeakMap<object, number>();
  const numberOfText = new Map<string, number>();
  const parts: object[] = [];
  const numberOf = (part: object): number => {
    const known = numberOfPart.get(part);
    if (known !== undefined) return known;
    const text = JSON.stringify(part);
    const number = numberOfText.get(text) ?? parts.push(part) - 1;
    if (parts[number] === part) {
      numberOfText.set(text, number);
      numberOfPart.set(part, number);
    }
    return number;
  };
  return (state: S): { readonly key: string; readonly canonical: S } => {
    let key = "";
    const canonical: Record<string, object> = {};
    for (const name in state) {
      const part = state[name];
      if (part === undefined) continue;
      const number = numberOf(part);
      key += `${number},`;
      canonical[name] = parts[number] ?? part;
    }
    return { key, canonical: canonical as S };
  };
};

/** The states from which a goal can be reached: a search backwards along the edges `from[i] -> to[i]`. */
const reachGoal = (isGoal: readonly boolean[], from: readonly number[], to: readonly number[]): boolean[] => {
  const sources: number[][] = isGoal.map(() => []);
  for (let i = 0; i < from.length; i++) sources[to[i] ?? 0]?.push(from[i] ?? 0);
  const reaches = [...isGoal];
  const queue = isGoal.flatMap((goal, state) => (goal ? [state] : []));
  for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
    for (const source of sources[state] ?? []) {
      if (reaches[source]) continue;
      reaches[source] = true;
      queue.push(source);
    }
  }
  return reaches;
};

/**
 * Visits every reachable state, nearest first, so that a counterexample is a shortest one; then asks of each whether the goals can still be reached.
 * Throws when there are more than `maxStates`: a model that is not finished proves nothing.
 */
export const check = <S extends Parts>(model: Model<S>, maxStates = 1_000_000): Verdict => {
  const collapse = createCollapse<S>();
  const states: S[] = [];
  const numbers = new Map<string, number>();
  const cameFrom: { readonly state: number; readonly label: string }[] = [];
  const from: number[] = [];
  const to: number[] = [];
  let transitions = 0;

  const visit = (state: S, origin: number, label: string): number => {
    const { key, canonical } = collapse(state);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const number = states.push(canonical) - 1;
    numbers.set(key, number);
    cameFrom.push({ state: origin, label });
    if (number >= maxStates) throw new Error(`more than ${maxStates} states`);
    return number;
  };

  const traceTo = (state: number): string[] => {
    const trace: string[] = [];
    for (let at = state; at > 0; at = cameFrom[at]?.state ?? 0) trace.unshift(cameFrom[at]?.label ?? "");
    return trace;
  };
  const violated = (property: string, trace: readonly string[]): Verdict => ({ kind: "violated", property, trace, states: states.length });
  const broken = (state: S): string | undefined => Object.keys(model.invariants).find((name) => !model.invariants[name]?.(state));
  const brokenStep = (a: S, b: S): string | undefined =>
    Object.keys(model.stepInvariants).find((name) => !model.stepInvariants[name]?.(a, b));

  visit(model.initial, 0, "start");
  for (let number = 0; number < states.length; number++) {
    const state = states[number];
    if (state === undefined) break;
    for (const { label, next, isFault } of model.steps(state)) {
      if (next === state) continue;
      const before = states.length;
      const reached = visit(next, number, label);
      transitions++;
      if (!isFault && reached !== number) {
        from.push(number);
        to.push(reached);
      }
      const property = brokenStep(state, next) ?? (states.length > before ? broken(next) : undefined);
      if (property !== undefined) return violated(property, [...traceTo(number), label]);
    }
  }
  for (const [goal, { from: isAsked, to: isReached }] of Object.entries(model.goals)) {
    const reaches = reachGoal(states.map(isReached), from, to);
    const stuck = states.findIndex((state, number) => isAsked(state) && !reaches[number]);
    if (stuck >= 0) return violated(goal, traceTo(stuck));
  }
  const missing = Object.keys(model.situations).find((name) => !states.some((state) => model.situations[name]?.(state)));
  if (missing !== undefined) return violated(`it happens that ${missing}`, []);
  return { kind: "holds", states: states.length, transitions };
};

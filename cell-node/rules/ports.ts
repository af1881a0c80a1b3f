/** The vehicle that an effect is about. */
export type RuleSubject = { readonly vin: string; readonly vinKey: string };

export type RuleEvent = {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly subject: string;
  readonly datacontenttype: "application/json";
  readonly data: Readonly<Record<string, unknown>>;
};

export type RuleCommand = {
  readonly type: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly expiresInSeconds: number;
  /** The same for the same message and rule: ordered once. */
  readonly idempotencyKey: string;
};

/**
 * How effects leave the engine. Each rejects when it could not be done; the engine counts that and goes on. Actions whose port is not
 * there are refused when the rule is saved.
 */
export type RulePorts = Partial<AllRulePorts>;

export type AllRulePorts = {
  storeEvent(subject: RuleSubject, event: RuleEvent): Promise<void>;
  patchTwin(subject: RuleSubject, patch: Readonly<Record<string, unknown>>): Promise<void>;
  publish(topic: string, event: RuleEvent): Promise<void>;
  postWebhook(url: string, event: RuleEvent): Promise<void>;
  sendToCentre(subject: RuleSubject, event: RuleEvent): Promise<void>;
  order(subject: RuleSubject, command: RuleCommand): Promise<void>;
};

import * as z from "zod";

const Environment = z.object({
  /** Host suffixes that webhooks of rules may go to, comma separated, each with a port when it is not 443. Empty: none. */
  RULES_WEBHOOK_HOSTS: z
    .string()
    .default("")
    .transform((list) => list.split(",").map((host) => host.trim()))
    .transform((hosts) => hosts.filter((host) => host !== "")),
  /** Whether such a host may be in a private network. */
  RULES_WEBHOOK_PRIVATE: z.preprocess((value) => (value === "" ? undefined : value), z.stringbool().default(false)),
});

/** Reads the environment once. Throws with every fault named. */
export const parseRuleSettings = (environment: Readonly<Record<string, string | undefined>>) => {
  const { RULES_WEBHOOK_HOSTS: webhookHosts, RULES_WEBHOOK_PRIVATE: arePrivateHostsAllowed } = Environment.parse(environment);
  return { webhookHosts, arePrivateHostsAllowed };
};
export type RuleSettings = ReturnType<typeof parseRuleSettings>;

export const OPERATOR_ROLES = ["viewer", "operator", "admin"] as const;
/** What somebody who runs the fleet may do; each role may do all that the ones before it may. */
export type OperatorRole = (typeof OPERATOR_ROLES)[number];

/** Whether a role reaches the least one that is asked for. */
export const hasRole = (role: OperatorRole, least: OperatorRole): boolean => OPERATOR_ROLES.indexOf(role) >= OPERATOR_ROLES.indexOf(least);

/** The highest of some roles; null without any. */
export const highestRole = (roles: readonly OperatorRole[]): OperatorRole | null =>
  OPERATOR_ROLES.findLast((role) => roles.includes(role)) ?? null;

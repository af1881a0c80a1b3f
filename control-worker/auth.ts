import { AppError } from "#schema/api/error.ts";
import { hasRole, OPERATOR_ROLES, type OperatorRole } from "#schema/domain/role.ts";
import type { Access, Caller, OperatorCaller } from "./auth/caller.ts";
import { verifyJoined } from "./auth/joined.ts";
import { verifyOperator } from "./auth/operators.ts";
import type { Deps } from "./deps.ts";

/** The least role of operators; null when the operation is not for them. */
export const leastRoleOf = (access: Access): OperatorRole | null => OPERATOR_ROLES.find((role) => access.includes(role)) ?? null;

/** The resource of a path: what scopes of API tokens name. */
export const resourceOf = (path: string): string => path.split("/")[2] ?? "";

const checkRights = ({ role, scopes }: OperatorCaller, least: OperatorRole, path: string): void => {
  if (!hasRole(role, least)) throw new AppError("forbidden", `this takes the role ${least}, the credential has ${role}`);
  if (scopes.length > 0 && !scopes.includes(resourceOf(path))) {
    throw new AppError("forbidden", `the token reaches ${scopes.join(", ")} only`);
  }
};

/** Who calls, by the bearer credential: 401 when it is none that the operation takes, 403 when its rights fall short. */
export const authenticate = async (
  deps: Deps,
  { access, path }: { readonly access: Access; readonly path: string },
  authorization: string | undefined,
): Promise<Caller> => {
  if (access.includes("anyone")) return { kind: "anyone" };
  const token = /^Bearer ([^\s]{1,4096})$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) throw new AppError("unauthenticated", "send Authorization: Bearer …");
  const least = leastRoleOf(access);
  const operator = least === null ? null : await verifyOperator(deps, token);
  if (operator !== null && least !== null) {
    checkRights(operator, least, path);
    return operator;
  }
  for (const kind of ["cell", "pop"] as const) {
    const caller = access.includes(kind) ? await verifyJoined(deps, kind, token) : null;
    if (caller !== null) return caller;
  }
  throw new AppError("unauthenticated", "the credential is not known here");
};

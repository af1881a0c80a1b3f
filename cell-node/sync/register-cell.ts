import { Cell, type CellRegistration } from "#schema/api/cells.ts";
import type { Logger } from "#schema/http/log.ts";
import type { ControlClient } from "./control-client.ts";

export type Registration = "registered" | "again" | "refused";

/** Registers the cell: `registered` once proven, `again` when trying later may help, `refused` when only an operator can help. */
export const registerCell = async (control: ControlClient, logger: Logger, registration: CellRegistration): Promise<Registration> => {
  const answer = await control.post("/v1/cells", registration);
  switch (answer.kind) {
    case "unreachable":
      logger.warn("control cannot be reached", { cause: answer.cause });
      return "again";
    case "problem":
      logger.warn("registration refused", { status: answer.status, code: answer.code, detail: answer.detail });
      return answer.status >= 500 || answer.status === 429 || answer.code === "clock_skew" ? "again" : "refused";
    case "ok": {
      const cell = Cell.safeParse(answer.body).data;
      return cell?.isProven ? "registered" : "again";
    }
  }
};

import { CellView } from "#schema/api/sync.ts";
import { createIssuerRing, type IssuerRing } from "#schema/crypto/device-token.ts";
import { createKeyRing, type KeyRing } from "#schema/crypto/keys.ts";
import type { CellId, Endpoints } from "#schema/domain/cell.ts";

/** What the cell knows of the world beside its own vehicles; made anew from each view that sync brings. */
export type World = {
  readonly version: number;
  readonly deviceIssuers: IssuerRing;
  readonly ownerIssuers: IssuerRing;
  readonly operatorIssuers: IssuerRing;
  readonly keysOfPop: (pop: string) => KeyRing | undefined;
  readonly keysOfCell: (cell: CellId) => KeyRing | undefined;
  readonly revoked: ReadonlySet<string>;
  readonly endpointsOf: (cell: CellId) => Endpoints | undefined;
  readonly standbyFor: readonly CellId[];
  /** The term in which a cell is failed over to this one. */
  readonly failoverTermOf: (cell: CellId) => number | undefined;
  readonly standby: CellId | null;
};

const EMPTY_VIEW = CellView.parse({
  ...{ version: 0, popKeys: {}, issuers: [], revoked: [], endpoints: {} },
  ...{ standby: null, standbyFor: [], failedOver: [] },
});

export const createWorld = (view: CellView = EMPTY_VIEW): World => {
  const popRings = new Map(Object.entries(view.popKeys).map(([pop, keys]) => [pop, createKeyRing(keys)]));
  const cellRings = new Map(Object.entries(view.cellKeys ?? {}).map(([cell, keys]) => [cell, createKeyRing(keys)]));
  const terms = new Map(view.failedOver.map(({ cell, term }) => [cell, term]));
  const endpoints = new Map(Object.entries(view.endpoints));
  return {
    version: view.version,
    deviceIssuers: createIssuerRing(view.issuers, "device"),
    ownerIssuers: createIssuerRing(view.issuers, "owner"),
    operatorIssuers: createIssuerRing(view.issuers, "operator"),
    keysOfPop: (pop) => popRings.get(pop),
    keysOfCell: (cell) => cellRings.get(cell),
    revoked: new Set(view.revoked),
    endpointsOf: (cell) => endpoints.get(cell),
    standbyFor: view.standbyFor,
    failoverTermOf: (cell) => terms.get(cell),
    standby: view.standby,
  };
};

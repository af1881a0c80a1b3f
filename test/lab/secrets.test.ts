import { mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { labPaths } from "./paths.ts";
import { loadSecrets } from "./secrets.ts";

describe("the lab's secrets", () => {
  test("the second start on a folder uses the first one's; a new POP gets a key of its own", async () => {
    const paths = labPaths(mkdtempSync(join(tmpdir(), "cloverleaf-secrets-")));
    const first = await loadSecrets(paths, ["pop-1"]);
    const second = await loadSecrets(paths, ["pop-1", "pop-2"]);
    expect(second).toEqual({ ...first, popKeys: { ...first.popKeys, "pop-2": second.popKeys["pop-2"] } });
    expect(second.popKeys["pop-2"]?.d).not.toBe(first.popKeys["pop-1"]?.d);
    expect(statSync(paths.secrets).mode & 0o077).toBe(0);
  });
});

import { SessionNotice } from "#schema/api/session.ts";

/** Reads a message of the `session` topic; null for anything that is none. */
export const parseSessionNotice = (payload: string): SessionNotice | null => {
  try {
    return SessionNotice.safeParse(JSON.parse(payload)).data ?? null;
  } catch {
    return null;
  }
};

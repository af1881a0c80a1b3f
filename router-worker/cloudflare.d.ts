/** The part of the platform's module that is used here. */
declare module "cloudflare:workers" {
  export const waitUntil: (promise: Promise<unknown>) => void;
}

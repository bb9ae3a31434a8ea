// npm packages that stand in for Node's modules of the same name in the browser build; under Node the real ones load.
declare module "events" {
  const events: unknown;
  export default events;
}
declare module "buffer" {
  const buffer: unknown;
  export default buffer;
}
declare module "string_decoder" {
  const decoder: unknown;
  export default decoder;
}

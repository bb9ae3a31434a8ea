// The name, in the settings shelf, of the hub's address: the page writes it, the worker reads it.
export const HUB_SETTING = "hub-url";

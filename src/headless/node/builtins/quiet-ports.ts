/** Ports whose listeners keep no process alive; filled by those who hand such a port out. */
export const quietPorts = new WeakSet<MessagePort>();

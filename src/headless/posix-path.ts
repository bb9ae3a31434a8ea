// Absolute POSIX paths, normalised lexically: the only spelling of a path that the file system stores or sends.

/** `path` as an absolute path without `.`, `..`, empty parts or a trailing slash; relative ones start at `cwd`. `..` at the root stays there. */
export function resolvePath(path: string, cwd = "/"): string {
  const parts: string[] = [];
  const whole = path.startsWith("/") ? path : `${cwd}/${path}`;
  for (const part of whole.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The folder of a normalised path; the root is its own folder. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

/** The last part of a normalised path; empty for the root. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** `child` below a normalised folder. */
export function joinPath(folder: string, child: string): string {
  return folder === "/" ? `/${child}` : `${folder}/${child}`;
}

/** Whether a normalised path is the folder itself or lies under it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === "/" || path.startsWith(`${folder}/`);
}

/** `/usr/bin/node` and `node` are the same command; `./node` is a file. */
export function commandName(command: string): string {
  const folder = parentPath(command);
  return command.startsWith("/") && (folder === "/bin" || folder === "/usr/bin" || folder === "/usr/local/bin") ? baseName(command) : command;
}

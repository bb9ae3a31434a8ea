// Commands that only the shell has: what a shell script may call without a file of that name.

/** just-bash's commands and builtins, as far as a program may spawn them by name. */
export const SHELL_COMMANDS: ReadonlySet<string> = new Set(
  `. : [ alias awk base64 basename bc bash cat cd chmod cksum clear cmp column comm cp curl cut date declare diff dirname
  du echo egrep env eval exec exit expand export expr false fgrep file find fold getopts grep gunzip gzip head help history hostname
  id join jq kill let ln local ls md5sum mkdir mktemp mv nl od paste printenv printf ps pwd read readlink realpath return rev rg rm
  rmdir sed seq set sha1sum sha256sum shift shuf sleep sort source split stat strings tac tail tar tee test time timeout touch tr
  trap tree true type typeset umask unalias unexpand uniq unset wait wc which whoami xargs yes zcat`.split(/\s+/),
);

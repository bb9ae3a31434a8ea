// Commands that only the shell has: what a program may spawn by name without a file of that name. The kernel knows them by
// this list alone, without loading the shell.

export const SHELL_COMMANDS: ReadonlySet<string> = new Set(
  `. : [ alias awk base64 basename bg break builtin cat cd chmod clear cmp code column comm command continue cp curl cut date declare
  diff dirname dirs disown du echo egrep env eval exec exit expand export expr false fg fgrep file find fold getopts grep gunzip
  gzip hash head help hexdump hostname html-to-markdown id jobs join jq kill killall less let ln local ls mapfile md5sum mkdir mktemp more mv nice
  nl nohup nproc od open paste pgrep pkill popd printenv printf ps pushd pwd read readarray readlink readonly realpath return rev rg rm
  rmdir sed seq set sha1sum sha256sum shift shopt shuf sleep sort source split stat strings tac tail tee test time timeout times
  tar touch tr trap tree true type typeset ulimit umask unalias uname unexpand uniq unset unzip wait watch wc which whoami xargs xxd yes zcat zip`.split(/\s+/),
);

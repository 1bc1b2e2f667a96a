const SHELLS = 'sh bash rbash dash ash zsh rzsh ksh rksh ksh93 mksh pdksh fish csh tcsh pwsh busybox toybox'.split(' ');
/** Programs that run what their arguments name: the preview would show one program and start another. */
const LAUNCHERS =
  'env xargs sudo doas su runuser pkexec setpriv script watch parallel nohup setsid timeout nice ionice stdbuf chroot nsenter unshare systemd-run ssh awk gawk mawk nawk'.split(
    ' ',
  );
const INTERPRETER = /^(?:python|perl|ruby|node|nodejs|php|lua|tclsh|deno|bun|osascript)[0-9.]*$/;
const INLINE_CODE = /^(?:-[A-Za-z]*[ceErpBRx][A-Za-z]*|--(?:eval|print|command|run)(?:=.*)?|eval|-)$/;

/**
 * Why a program must not stand as argv[0], as a sentence; undefined where it may. A guard against slips and
 * smuggled shells, not a sandbox: who reviews a playbook and who writes `allow.yaml` decide what may run.
 */
export function findProgramFault(argv: readonly string[]): string | undefined {
  const [program = '', ...rest] = argv;
  const base = program.slice(program.lastIndexOf('/') + 1);
  if (SHELLS.includes(base)) return `${base} is a shell; call the program itself with its arguments.`;
  if (LAUNCHERS.includes(base)) return `${base} starts other programs; call the program itself with its arguments.`;
  if (!INTERPRETER.test(base)) return undefined;
  const script = rest.findIndex((argument) => !argument.startsWith('-') && argument !== 'eval');
  const options = script === -1 ? rest : rest.slice(0, script);
  if (options.some((option) => INLINE_CODE.test(option))) {
    return `${base} must run a script file, not code from its arguments.`;
  }
  const isFromSlot = options.some((option) => option.includes('${')) || rest[script]?.includes('${') === true;
  return isFromSlot ? `Which script ${base} runs must not come from a parameter.` : undefined;
}

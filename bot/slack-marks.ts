/** `<@U1|bob>`, `<#C1|ops>`, `<!subteam^S1|@sre>`, `<http://web-1.example|web-1.example>`, each with or without a label. */
const MARK = /<([@#!]|https?:\/\/|mailto:)([^<>|]*)(?:\|([^<>]*))?>/g;

/**
 * What a person typed, where Slack has put its own marks for people, channels and addresses: a name for a name, a host
 * for the link that was made of it, an address where the link has words of its own. Slack sends `& < >` escaped, so
 * what was typed is never taken for a mark (https://docs.slack.dev/messaging/formatting-message-text).
 */
export function readSlackMarks(text: string): string {
  const plain = text.replace(MARK, (_mark, kind: string, target: string, label: string | undefined) =>
    readMark({ kind, target, label: label === '' ? undefined : label }),
  );
  return plain.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function readMark({ kind, target, label }: { kind: string; target: string; label: string | undefined }): string {
  switch (kind) {
    case '@':
    case '#':
      return `${kind}${(label ?? target).replace(/^[@#]/, '')}`;
    case '!':
      return label ?? `@${target}`; // `<!here>`
    case 'mailto:':
      return label ?? target;
    default: {
      const address = `${kind}${target}`;
      const isMadeOfLabel = label !== undefined && [label, `${label}/`].includes(target);
      return isMadeOfLabel ? label : address;
    }
  }
}

import type { WebClient } from '@slack/web-api';

/** Which workspace is ours, by `auth.test`: asked when first needed, then kept. */
export interface Workspace {
  /** Rejects where Slack cannot be asked; the next call asks again. */
  teamId(): Promise<string>;
}

export function createWorkspace(client: WebClient): Workspace {
  let known: Promise<string> | undefined;
  return {
    teamId: () => {
      known ??= client.auth.test().then(({ team_id: teamId }) => {
        if (teamId === undefined) throw new Error('auth.test named no team.');
        return teamId;
      });
      known.catch(() => {
        known = undefined;
      });
      return known;
    },
  };
}

const CONFIGURED = /^(DATABASE_URL|TEMPORAL_.*|SLACK_.*|MEDIC_.*)$/;

/**
 * The environment without whatever points to a real database, Temporal, Slack or control plane. Demo and tests run on
 * the embedded stack always. `sentence` names what was there, or is null where nothing was.
 */
export function withoutConfiguredServices(env: NodeJS.ProcessEnv): {
  env: NodeJS.ProcessEnv;
  sentence: string | null;
} {
  const ignored = Object.keys(env)
    .filter((name) => CONFIGURED.test(name))
    .sort();
  const kept = Object.entries(env).filter(([name]) => !CONFIGURED.test(name));
  const list = ignored.join(', ');
  return {
    env: Object.fromEntries(kept),
    sentence: ignored.length === 0 ? null : `Ignored here, this runs on the embedded stack only: ${list}.`,
  };
}

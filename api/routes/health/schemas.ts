import * as z from 'zod';

export const healthJson = z.object({ status: z.literal('ok') });
export const readyJson = z.object({
  status: z.enum(['ready', 'not_ready']),
  missing: z.array(z.enum(['database', 'temporal'])),
});

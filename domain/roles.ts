export const ROLES = ['viewer', 'operator', 'approver', 'auditor', 'automation', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export type Permission =
  | 'servers.read'
  | 'servers.pause'
  | 'servers.enroll'
  | 'halts.declare'
  | 'actions.read'
  | 'actions.read_own'
  | 'actions.request'
  | 'actions.decide'
  | 'actions.cancel'
  | 'actions.break_glass'
  | 'dead_letters.settle'
  | 'audit.read'
  | 'tokens.manage'
  | 'keys.manage';

/** Contract §3: roles add up and contain each other only as said there. */
const PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ['servers.read', 'actions.read'],
  operator: [
    'servers.read',
    'actions.read',
    'actions.request',
    'servers.pause',
    'halts.declare',
    'actions.cancel',
    'dead_letters.settle',
  ],
  approver: ['servers.read', 'actions.read', 'actions.decide'],
  auditor: ['servers.read', 'actions.read', 'audit.read'],
  automation: ['actions.request', 'actions.read_own'],
  admin: [
    'servers.read',
    'servers.pause',
    'halts.declare',
    'servers.enroll',
    'actions.read',
    'actions.request',
    'actions.decide',
    'actions.cancel',
    'actions.break_glass',
    'dead_letters.settle',
    'audit.read',
    'tokens.manage',
    'keys.manage',
  ],
};

export function mayDo(roles: readonly Role[], permission: Permission): boolean {
  return roles.some((role) => PERMISSIONS[role].includes(permission));
}

export function rolesThatMay(permission: Permission): Role[] {
  return ROLES.filter((role) => PERMISSIONS[role].includes(permission));
}

import { join } from 'node:path';
import { SetupError } from './setup-error.mjs';

const ARCHITECTURES = ['x64', 'arm64'];

/** Throws where the binaries that come with the dependencies cannot run. */
export function checkPlatform(found = describePlatform()) {
  if (found.platform !== 'linux' || !ARCHITECTURES.includes(found.arch)) {
    throw new SetupError(
      `Medic runs on Linux on x64 or arm64; this is ${found.platform} on ${found.arch}. Use a Linux machine, a virtual one or a container.`,
    );
  }
  if (!found.hasGlibc) {
    throw new SetupError(
      'Medic needs a Linux with glibc; this one (Alpine?) has another C library. Use Debian, Ubuntu, Fedora or their like.',
    );
  }
}

/** The Node that comes with the dependencies. */
export function locateNode(root, arch = process.arch) {
  return join(root, 'node_modules', `node-linux-${arch}`, 'bin', 'node');
}

function describePlatform() {
  const isLinux = process.platform === 'linux';
  process.report.excludeNetwork = true; // looking up names would hold up the start
  const hasGlibc = !isLinux || process.report.getReport().header.glibcVersionRuntime !== undefined;
  return { platform: process.platform, arch: process.arch, hasGlibc };
}

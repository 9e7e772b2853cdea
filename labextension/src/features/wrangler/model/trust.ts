import type { IStateDB } from '@jupyterlab/statedb';

/** Remembers which code of which flow may run. */
export interface ITrustMemory {
  isTrusted(key: string, code: string): Promise<boolean>;
  trust(key: string, code: string): Promise<void>;
}

const PREFIX = '@bottega/labextension:wrangler-trust:';

/** {@link ITrustMemory} in JupyterLab's own memory, as hashes of the code. */
export class StoredTrust implements ITrustMemory {
  constructor(private readonly _state: IStateDB) {}

  async isTrusted(key: string, code: string): Promise<boolean> {
    const kept = await this._state.fetch(PREFIX + key);
    return kept === (await hash(code));
  }

  async trust(key: string, code: string): Promise<void> {
    await this._state.save(PREFIX + key, await hash(code));
  }
}

/** {@link ITrustMemory} for as long as the page lives, where nothing remembers. */
export class PassingTrust implements ITrustMemory {
  isTrusted(key: string, code: string): Promise<boolean> {
    return Promise.resolve(this._codes.get(key) === code);
  }

  trust(key: string, code: string): Promise<void> {
    this._codes.set(key, code);
    return Promise.resolve();
  }

  private readonly _codes = new Map<string, string>();
}

/**
 * A fingerprint of the code.
 *
 * Browsers hash for pages that came over TLS or from the machine itself; for others the code itself
 * is its fingerprint.
 */
async function hash(code: string): Promise<string> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (!subtle) {
    return code;
  }
  const digest = await subtle.digest('SHA-256', new TextEncoder().encode(code));
  return Array.from(new Uint8Array(digest), byte =>
    byte.toString(16).padStart(2, '0')
  ).join('');
}

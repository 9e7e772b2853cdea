import { asError } from '../../shared/asError';
import type { IBottegaClient } from '../../tokens';

/** The names of the experiments that there are; where they cannot be read, there are none. */
export class ExperimentNames {
  constructor(private readonly _client: Pick<IBottegaClient, 'call'>) {}

  names: readonly string[] = [];
  /** Why the names could not be read. */
  problem: Error | null = null;

  async load(): Promise<void> {
    try {
      const answer = await this._client.call('bottega:ListTrackedExperiments', {
        MaxResults: 100
      });
      this.names = answer.Experiments.map(item => item.Name);
      this.problem = null;
    } catch (error) {
      this.problem = asError(error);
    }
  }
}

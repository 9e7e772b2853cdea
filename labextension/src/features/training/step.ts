import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';

import type {
  IFinding,
  IListAlgorithmsResponse
} from '../../api/types/training';
import type { IDraft } from './draft';
import type { IFiles } from './files';
import type { TrainModel } from './trainModel';

/** What each step of the form is given. */
export interface IStepProps {
  model: TrainModel;
  draft: IDraft;
  catalog: IListAlgorithmsResponse;
  findings: readonly IFinding[];
  /** The field that the focus is about to go to; what is folded over it opens. */
  wanted: string | null;
  files: IFiles;
  translator: ITranslator;
  trans: TranslationBundle;
}

/** The first error about a field. */
export function problemOf(
  findings: readonly IFinding[],
  field: string
): string | undefined {
  return findings.find(
    item => item.Severity === 'Error' && item.Field === field
  )?.Message;
}

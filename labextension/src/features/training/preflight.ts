import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IAlgorithmDescription,
  IFinding,
  IListAlgorithmsResponse
} from '../../api/types/training';
import { pendingChannels } from './channels';
import { dataFindings, featureCount, unreadable } from './dataFindings';
import type { IDraft } from './draft';
import { algorithmOf } from './draft';
import type { Previews } from './findings';
import { channelField, error, FIELDS } from './findings';
import { hyperparameterProblems } from './hyperparameters';
import { isJobName } from './requests';
import { LONGEST_NAME, trialHyperparameters } from './search';
import { searchFindings } from './searchFindings';

/**
 * What the form itself can see to be wrong, at once and without the server.
 *
 * @returns findings in the order of the form, in the words of a person.
 */
export function localFindings(
  draft: IDraft,
  previews: Previews,
  catalog: IListAlgorithmsResponse,
  trans: TranslationBundle
): IFinding[] {
  const algorithm = algorithmOf(draft, catalog);
  return [
    ...(algorithm?.Missing ? [error(FIELDS.image, algorithm.Missing)] : []),
    ...(algorithm
      ? dataFindings(draft, previews, algorithm, trans)
      : scriptFindings(draft, previews, trans)),
    ...hyperparameterFindings(draft, previews, algorithm, trans),
    ...(draft.search
      ? searchFindings(draft.search, algorithm, draft.sources, trans)
      : []),
    ...resourceFindings(draft, trans)
  ];
}

function scriptFindings(
  draft: IDraft,
  previews: Previews,
  trans: TranslationBundle
): IFinding[] {
  // A script may read what nothing here can show.
  const found = unreadable(draft, previews, null, trans).map(finding => ({
    ...finding,
    Severity: 'Warning' as IFinding['Severity']
  }));
  const { trainer } = draft;
  if (trainer.kind === 'script' && trainer.script.kind === 'file') {
    const { path } = trainer.script;
    if (path.trim() === '') {
      found.push(error(FIELDS.script, trans.__('Choose the script to run.')));
    } else if (!path.endsWith('.py')) {
      found.push(
        error(
          FIELDS.script,
          trans.__('%1 is no Python file: its name must end in .py.', path)
        )
      );
    }
  }
  if (!draft.sources['train']) {
    found.push({
      Severity: 'Information',
      Field: channelField('train'),
      Message: trans.__('The script gets no training data.')
    });
  }
  return found;
}

function hyperparameterFindings(
  draft: IDraft,
  previews: Previews,
  algorithm: IAlgorithmDescription | null,
  trans: TranslationBundle
): IFinding[] {
  if (!algorithm) {
    return [];
  }
  const problems = hyperparameterProblems(
    algorithm,
    trialHyperparameters(draft.hyperparameters, draft.search),
    trans
  );
  const { train } = previews;
  const features =
    train?.state === 'ready'
      ? featureCount(draft.sources['train'], train.data, algorithm)
      : null;
  if (
    features !== null &&
    problems['feature_dim'] &&
    !draft.hyperparameters['feature_dim']
  ) {
    problems['feature_dim'] = trans._n(
      'feature_dim must be given: the data has %1 feature column.',
      'feature_dim must be given: the data has %1 feature columns.',
      features
    );
  }
  return Object.entries(problems).map(([name, message]) =>
    error(`HyperParameters.${name}`, message)
  );
}

function resourceFindings(draft: IDraft, trans: TranslationBundle): IFinding[] {
  const found: IFinding[] = [];
  if (draft.search && draft.name.length > LONGEST_NAME) {
    found.push(
      error(
        FIELDS.name,
        trans.__(
          '%1 is too long: the name of a tuning job has at most 32 characters.',
          draft.name
        )
      )
    );
  }
  if (!isJobName(draft.name)) {
    found.push(
      error(
        FIELDS.name,
        trans.__(
          '%1 cannot be the name of a job: it takes up to 63 letters and digits, with hyphens between them.',
          draft.name
        )
      )
    );
  }
  if (!Number.isInteger(draft.instanceCount) || draft.instanceCount < 1) {
    found.push(
      error(
        FIELDS.instanceCount,
        trans.__('The instance count must be a whole number from 1 on.')
      )
    );
  }
  if (!(draft.maxRuntimeSeconds >= 1)) {
    found.push(
      error(
        FIELDS.maxRuntime,
        trans.__('The longest run time must be at least one second.')
      )
    );
  }
  return found;
}

/**
 * The findings of the form and of the server together, errors first.
 *
 * What the server says of data and code that is not in its store yet is left out, as is what the
 * form has said of the same field.
 */
export function mergeFindings(
  local: readonly IFinding[],
  server: readonly IFinding[],
  draft: IDraft,
  algorithm: IAlgorithmDescription | null
): IFinding[] {
  const said = new Set(
    local.filter(item => item.Severity === 'Error').map(item => item.Field)
  );
  const pending = pendingChannels(draft, algorithm).map(channelField);
  if (pending.length > 0) {
    said.add('InputDataConfig');
  }
  const unsent =
    draft.trainer.kind === 'script' && draft.trainer.script.kind === 'file'
      ? [FIELDS.script, 'HyperParameters.sagemaker_submit_directory']
      : [];
  const left = server.filter(
    ({ Field: field }) =>
      ![...said].some(
        other => field === other || other.startsWith(`${field}.`)
      ) &&
      ![...pending, ...unsent].some(
        other => field === other || field.startsWith(`${other}.`)
      )
  );
  const order = { Error: 0, Warning: 1, Information: 2 };
  return [...local, ...left].sort(
    (a, b) => order[a.Severity] - order[b.Severity]
  );
}

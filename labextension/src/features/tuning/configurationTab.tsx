import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactNode } from 'react';

import type {
  IHyperParameterTrainingJobDefinition,
  ITuningParameter
} from '../../api/types/tuning';
import { Card } from '../../shared/components/card';
import { Facts } from '../../shared/components/controls';
import { Loadable } from '../../shared/components/states';
import { duration, measured } from '../../shared/format';
import type { Live } from '../../shared/hooks/useLive';
import { directionText, unquoted } from './facts';
import type { ITuningJob } from './python';
import type { ITuningViewProps } from './tuningView';

/** The hyperparameter by which a trial learns its objective; it is no choice of anybody. */
const OBJECTIVE = '_tuning_objective_metric';

type FactList = Array<readonly [string, ReactNode]>;

/** What the tuning job was asked to do: the search, its limits, the ranges, what each trial is. */
export function ConfigurationTab(
  props: ITuningViewProps & { job: Live<ITuningJob> }
): JSX.Element {
  const { job, progress, trans } = props;
  return (
    <Loadable
      live={job}
      trans={trans}
      rows={8}
      what={trans.__('The tuning job cannot be read.')}
    >
      {found => (
        <div className="jp-BottegaGrid">
          <Card title={trans.__('Search')}>
            <Facts facts={searchFacts(props, found)} />
          </Card>
          <Card title={trans.__('Limits')}>
            <Facts facts={limitFacts(found, trans)} />
          </Card>
          <Card title={trans.__('Ranges')}>
            <Ranges
              parameters={progress.Parameters}
              several={progress.Objectives.length > 1}
              trans={trans}
            />
          </Card>
          {definitions(found).map((definition, index) => (
            <Definition
              key={definition.DefinitionName ?? index}
              definition={definition}
              trans={trans}
            />
          ))}
        </div>
      )}
    </Loadable>
  );
}

function definitions(job: ITuningJob): IHyperParameterTrainingJobDefinition[] {
  return job.TrainingJobDefinition
    ? [job.TrainingJobDefinition]
    : (job.TrainingJobDefinitions ?? []);
}

function searchFacts(props: ITuningViewProps, job: ITuningJob): FactList {
  const { progress, trans } = props;
  const config = job.HyperParameterTuningJobConfig;
  const resource = config.StrategyConfig?.HyperbandStrategyConfig;
  const warm = job.WarmStartConfig;
  const facts: FactList = [
    [trans.__('Strategy'), progress.Strategy],
    ...progress.Objectives.map(
      item =>
        [
          item.DefinitionName
            ? trans.__('Objective of %1', item.DefinitionName)
            : trans.__('Objective'),
          `${item.MetricName}, ${directionText(item.Type, trans)}`
        ] as const
    ),
    [
      trans.__('Early stopping'),
      progress.EarlyStopping === 'Auto' ? trans.__('on') : trans.__('off')
    ]
  ];
  if (resource) {
    const { MinResource: least = 1, MaxResource: most } = resource;
    facts.push([
      trans.__('Epochs of a trial'),
      most === undefined
        ? trans.__('from %1', least)
        : trans.__('%1 to %2', least, most)
    ]);
  }
  if (progress.RandomSeed !== undefined) {
    facts.push([trans.__('Random seed'), String(progress.RandomSeed)]);
  }
  if (job.Autotune) {
    facts.push([trans.__('Autotune'), job.Autotune.Mode]);
  }
  if (warm) {
    facts.push(
      [
        trans.__('Warm start from'),
        warm.ParentHyperParameterTuningJobs.map(
          parent => parent.HyperParameterTuningJobName
        ).join(', ')
      ],
      [trans.__('Warm start type'), warm.WarmStartType],
      [trans.__('Trials of the parents'), String(progress.ParentTrials ?? 0)]
    );
  }
  return facts;
}

function limitFacts(job: ITuningJob, trans: TranslationBundle): FactList {
  const config = job.HyperParameterTuningJobConfig;
  const {
    MaxNumberOfTrainingJobs: most,
    MaxParallelTrainingJobs: parallel,
    MaxRuntimeInSeconds: longest
  } = config.ResourceLimits;
  const criteria = config.TuningJobCompletionCriteria;
  const patience =
    criteria?.BestObjectiveNotImproving?.MaxNumberOfTrainingJobsNotImproving;
  return [
    [trans.__('Trials'), most ?? trans.__('no limit')],
    [trans.__('At a time'), parallel],
    [
      trans.__('Longest run time'),
      longest === undefined ? trans.__('no limit') : duration(longest)
    ],
    ...(criteria?.TargetObjectiveMetricValue === undefined
      ? []
      : [
          [
            trans.__('Ends at the objective'),
            measured(criteria.TargetObjectiveMetricValue)
          ] as const
        ]),
    ...(patience === undefined
      ? []
      : [[trans.__('Trials without a better one'), patience] as const]),
    ...(criteria?.ConvergenceDetected?.CompleteOnConvergence === 'Enabled'
      ? [[trans.__('Ends when it converges'), trans.__('yes')] as const]
      : [])
  ];
}

function Ranges(props: {
  parameters: readonly ITuningParameter[];
  several: boolean;
  trans: TranslationBundle;
}): JSX.Element {
  const { parameters, several, trans } = props;
  return (
    <table className="jp-BottegaPlainTable">
      <thead>
        <tr>
          {several && <th scope="col">{trans.__('Definition')}</th>}
          <th scope="col">{trans.__('Name')}</th>
          <th scope="col">{trans.__('Range')}</th>
          <th scope="col">{trans.__('Scaling')}</th>
        </tr>
      </thead>
      <tbody>
        {parameters.map(item => (
          <tr key={`${item.DefinitionName}/${item.Name}`}>
            {several && <td>{item.DefinitionName}</td>}
            <th scope="row">{item.Name}</th>
            <td>
              {item.Values
                ? item.Values.map(unquoted).join(', ')
                : trans.__(
                    '%1 to %2',
                    measured(item.MinValue ?? NaN),
                    measured(item.MaxValue ?? NaN)
                  )}
            </td>
            <td>{item.ScalingType ?? ''}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What each trial of a definition does, but for what is tuned. */
function Definition(props: {
  definition: IHyperParameterTrainingJobDefinition;
  trans: TranslationBundle;
}): JSX.Element {
  const { definition, trans } = props;
  const title = definition.DefinitionName
    ? trans.__('Training job %1', definition.DefinitionName)
    : trans.__('Training job');
  const fixed = Object.entries(definition.StaticHyperParameters ?? {})
    .filter(([name]) => name !== OBJECTIVE)
    .sort(([one], [other]) => one.localeCompare(other));
  return (
    <Card title={title}>
      <Facts facts={definitionFacts(definition, trans)} />
      <h3>{trans.__('Fixed hyperparameters')}</h3>
      {fixed.length > 0 ? (
        <Facts facts={fixed.map(([key, value]) => [key, unquoted(value)])} />
      ) : (
        <p>{trans.__('None.')}</p>
      )}
    </Card>
  );
}

function definitionFacts(
  definition: IHyperParameterTrainingJobDefinition,
  trans: TranslationBundle
): FactList {
  const specification = definition.AlgorithmSpecification;
  const resources =
    definition.ResourceConfig ?? definition.HyperParameterTuningResourceConfig;
  const longest = definition.StoppingCondition.MaxRuntimeInSeconds;
  return [
    [
      trans.__('Image'),
      specification.TrainingImage ?? specification.AlgorithmName ?? '—'
    ],
    [
      trans.__('Instances'),
      `${resources?.InstanceCount ?? 1} × ${resources?.InstanceType ?? '—'}`
    ],
    ...(longest === undefined
      ? []
      : [[trans.__('Longest run time'), duration(longest)] as const]),
    ...(definition.InputDataConfig ?? []).map(
      channel =>
        [
          trans.__('Channel %1', channel.ChannelName),
          channel.DataSource.S3DataSource?.S3Uri ?? '—'
        ] as const
    ),
    [trans.__('Output'), definition.OutputDataConfig.S3OutputPath],
    [trans.__('Role'), definition.RoleArn]
  ];
}

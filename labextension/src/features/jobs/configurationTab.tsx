import type { ReactNode } from 'react';

import type { ITag } from '../../api/types/training';
import { Card } from '../../shared/components/card';
import { Facts } from '../../shared/components/controls';
import { Loadable } from '../../shared/components/states';
import { duration, moment } from '../../shared/format';
import type { Live } from '../../shared/hooks/useLive';
import { useLive } from '../../shared/hooks/useLive';
import { builtInOf, imageOf, notebookOf, scriptOf } from './facts';
import { hyperparameters } from './hyperparameters';
import type { IJobViewProps } from './jobView';

/** What the job was asked to do. */
export function ConfigurationTab(
  props: IJobViewProps & { tags: Live<ITag[]> }
): JSX.Element {
  const { job, tags, trans } = props;
  const environment = Object.entries(job.Environment ?? {});
  return (
    <div className="jp-BottegaGrid jp-BottegaConfiguration">
      <Hyperparameters {...props} />
      <Card title={trans.__('Resources')}>
        <Facts facts={resourceFacts(props)} />
      </Card>
      <Card title={trans.__('Job')}>
        <Facts facts={jobFacts(props)} />
      </Card>
      <Card title={trans.__('Environment')}>
        {environment.length > 0 ? (
          <Facts facts={environment} />
        ) : (
          <p>{trans.__('No variables were set.')}</p>
        )}
      </Card>
      <Card title={trans.__('Tags')}>
        <Loadable
          live={tags}
          trans={trans}
          rows={2}
          what={trans.__('The tags cannot be read.')}
        >
          {found =>
            found.length > 0 ? (
              <Facts facts={found.map(tag => [tag.Key, tag.Value] as const)} />
            ) : (
              <p>{trans.__('No tags were set.')}</p>
            )
          }
        </Loadable>
      </Card>
    </div>
  );
}

/** The hyperparameters, with a mark at those that differ from the algorithm's defaults. */
function Hyperparameters(props: IJobViewProps): JSX.Element {
  const { client, job, trans } = props;
  const live = useLive(
    props,
    signal => client.call('bottega:ListAlgorithms', {}, signal),
    []
  );
  return (
    <Card title={trans.__('Hyperparameters')}>
      <Loadable
        live={live}
        trans={trans}
        what={trans.__('The algorithms cannot be read.')}
      >
        {({ Algorithms: algorithms }) => {
          const algorithm = builtInOf(job, algorithms);
          const found = hyperparameters(job.HyperParameters ?? {}, algorithm);
          return found.length === 0 ? (
            <p>{trans.__('No hyperparameters were set.')}</p>
          ) : (
            <table className="jp-BottegaPlainTable">
              <thead>
                <tr>
                  <th scope="col">{trans.__('Name')}</th>
                  <th scope="col">{trans.__('Value')}</th>
                  {algorithm && <th scope="col">{trans.__('Default')}</th>}
                </tr>
              </thead>
              <tbody>
                {found.map(entry => (
                  <tr key={entry.name} data-changed={entry.changed}>
                    <th scope="row" title={entry.description}>
                      {entry.name}
                    </th>
                    <td>
                      {entry.value}
                      {entry.changed && (
                        <span
                          className="jp-BottegaMark"
                          title={trans.__('Differs from the default')}
                        >
                          {trans.__('changed')}
                        </span>
                      )}
                    </td>
                    {algorithm && <td>{entry.fallback ?? '—'}</td>}
                  </tr>
                ))}
              </tbody>
            </table>
          );
        }}
      </Loadable>
    </Card>
  );
}

type FactList = Array<readonly [string, ReactNode]>;

function resourceFacts({ job, trans }: IJobViewProps): FactList {
  const resources = job.ResourceConfig;
  const stopping = job.StoppingCondition;
  const facts: FactList = [
    [trans.__('Instance type'), resources?.InstanceType ?? '—'],
    [trans.__('Instance count'), resources?.InstanceCount ?? 1],
    [trans.__('Volume size'), `${resources?.VolumeSizeInGB ?? '—'} GB`]
  ];
  if (stopping.MaxRuntimeInSeconds !== undefined) {
    const longest = duration(stopping.MaxRuntimeInSeconds);
    facts.push([trans.__('Longest run time'), longest]);
  }
  facts.push([
    trans.__('Network isolation'),
    job.EnableNetworkIsolation ? trans.__('on') : trans.__('off')
  ]);
  if (job.CheckpointConfig) {
    facts.push([trans.__('Checkpoints'), job.CheckpointConfig.S3Uri]);
  }
  return facts;
}

function jobFacts({ job, trans }: IJobViewProps): FactList {
  const facts: FactList = [[trans.__('Image'), imageOf(job) || '—']];
  if (notebookOf(job)) {
    facts.push([trans.__('Notebook'), notebookOf(job)]);
  } else if (scriptOf(job)) {
    facts.push([trans.__('Script'), scriptOf(job)]);
  }
  facts.push(
    [trans.__('Created'), moment(job.CreationTime)],
    [trans.__('Role'), job.RoleArn ?? '—'],
    [trans.__('ARN'), job.TrainingJobArn],
    [trans.__('Output'), job.OutputDataConfig?.S3OutputPath ?? '—']
  );
  if (job.ExperimentConfig?.ExperimentName) {
    facts.push([trans.__('Experiment'), job.ExperimentConfig.ExperimentName]);
  }
  return facts;
}

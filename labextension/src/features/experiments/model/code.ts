import { pythonString } from '../../../shared/python';
import { filterKey } from './filter';
import type { IRunQuery } from './runs';

const SHOWN_ROWS = 1000;

/** The search of the grid with MLflow's client: the same runs, in the same order. */
export function searchCode(query: IRunQuery): string {
  const filter = query.filter.trim();
  const order = query.descending ? 'DESC' : 'ASC';
  // MLflow cannot sort by duration, pandas can.
  const byDuration = query.sortBy === 'attributes.duration';
  const lines = [
    'import mlflow',
    '',
    'runs = mlflow.search_runs(',
    `    experiment_ids=[${pythonString(query.experiment)}],`,
    ...(filter ? [`    filter_string=${pythonString(filter)},`] : []),
    ...(byDuration
      ? []
      : [
          `    order_by=[${pythonString(`${filterKey(query.sortBy)} ${order}`)}],`
        ]),
    `    max_results=${SHOWN_ROWS},`,
    ')'
  ];
  if (byDuration) {
    lines.push(
      'runs["duration"] = runs["end_time"] - runs["start_time"]',
      `runs = runs.sort_values("duration", ascending=${query.descending ? 'False' : 'True'})`
    );
  }
  return `${lines.join('\n')}\nruns\n`;
}

/** The experiments, as MLflow's client lists them. */
export function experimentsCode(filter: string): string {
  const words = filter.trim().split(/\s+/).filter(Boolean);
  const condition = words
    .map(word => `name ILIKE '%${word.replace(/'/g, '')}%'`)
    .join(' and ');
  const argument = condition ? `filter_string=${pythonString(condition)}` : '';
  return `import mlflow\n\nmlflow.search_experiments(${argument})\n`;
}

/** Code that loads a run, and its models where it has some. */
export function runCode(runId: string, models: readonly string[]): string {
  const lines = [
    'import mlflow',
    '',
    `run = mlflow.get_run(${pythonString(runId)})`,
    'run.data.params, run.data.metrics'
  ];
  const [model] = models;
  if (model !== undefined) {
    lines.push(
      '',
      `model = mlflow.pyfunc.load_model(${pythonString(`runs:/${runId}/${model}`)})`,
      'model'
    );
  }
  return `${lines.join('\n')}\n`;
}

/** A first run, for an experiment that has none. */
export function firstRunCode(experiment: string): string {
  return [
    'import mlflow',
    '',
    `mlflow.set_experiment(${pythonString(experiment)})`,
    'with mlflow.start_run():',
    '    mlflow.log_param("max_depth", 6)',
    '    for step, loss in enumerate([0.9, 0.5, 0.3]):',
    '        mlflow.log_metric("loss", loss, step=step)',
    ''
  ].join('\n');
}

import type { IDescribeRunResponse } from '../../../api/types/experiments';

/** One fact of two runs. */
export interface IDifference {
  name: string;
  left: string;
  right: string;
  differs: boolean;
}

/** The facts of one kind. */
export interface IDiffSection {
  id: 'parameters' | 'metrics' | 'code' | 'data' | 'environment';
  rows: IDifference[];
}

/** Tags that say which code a run was made with. */
const CODE_TAGS: Readonly<Record<string, string>> = {
  'mlflow.source.type': 'Source type',
  'mlflow.source.git.commit': 'Git commit',
  'mlflow.source.git.branch': 'Git branch',
  'mlflow.source.git.repoURL': 'Git repository',
  'mlflow.project.entryPoint': 'Entry point'
};

type Texts = Readonly<Record<string, string>>;

/** Everything two runs have, side by side. */
export function diffRuns(
  left: IDescribeRunResponse,
  right: IDescribeRunResponse
): IDiffSection[] {
  return [
    {
      id: 'parameters',
      rows: compare(left.Run.Params, right.Run.Params)
    },
    {
      id: 'metrics',
      rows: compare(texts(left.Run.Metrics), texts(right.Run.Metrics))
    },
    { id: 'code', rows: compare(code(left), code(right)) },
    { id: 'data', rows: compare(data(left), data(right)) },
    {
      id: 'environment',
      rows: compare(left.Environment, right.Environment)
    }
  ];
}

function compare(left: Texts, right: Texts): IDifference[] {
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return names.sort().map(name => ({
    name,
    left: left[name] ?? '',
    right: right[name] ?? '',
    differs: left[name] !== right[name]
  }));
}

function texts(numbers: Readonly<Record<string, number>>): Texts {
  return Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [name, String(value)])
  );
}

function code(run: IDescribeRunResponse): Texts {
  const found: Record<string, string> = {};
  if (run.Run.Source) {
    found['Source'] = run.Run.Source;
  }
  for (const [tag, label] of Object.entries(CODE_TAGS)) {
    const value = run.Run.Tags[tag];
    if (value) {
      found[label] = value;
    }
  }
  return found;
}

function data(run: IDescribeRunResponse): Texts {
  return Object.fromEntries(
    run.Inputs.map(input => [
      input.Context ? `${input.Name} (${input.Context})` : input.Name,
      [input.Digest, input.Source].filter(Boolean).join(' · ')
    ])
  );
}

import type { IDescribeTrainingJobResponse } from '../../../api/types/training';
import { pythonLiteral, pythonString } from '../../../shared/python';
import { imageOf, shortImage } from '../facts';

type IJob = IDescribeTrainingJobResponse;
type IRuleConfiguration = NonNullable<IJob['DebugRuleConfigurations']>[number];

/** The built-in rules that `rule_configs` makes by a function named after them. */
const BUILT_IN = new Set([
  'AllZero',
  'CheckInputImages',
  'ClassImbalance',
  'Confusion',
  'CreateXgboostReport',
  'DeadRelu',
  'ExplodingTensor',
  'FeatureImportanceOverweight',
  'LossNotDecreasing',
  'NLPSequenceRatio',
  'Overfit',
  'Overtraining',
  'PoorWeightInitialization',
  'SaturatedActivation',
  'SimilarAcrossRuns',
  'StalledTrainingRule',
  'TensorVariance',
  'TreeDepth',
  'UnchangedTensor',
  'VanishingGradient',
  'WeightUpdateRatio'
]);

/** The built-in profiler rules, which `rule_configs` has as classes. */
const PROFILER_RULES = new Set([
  'BatchSize',
  'CPUBottleneck',
  'GPUMemoryIncrease',
  'IOBottleneck',
  'LoadBalancing',
  'LowGPUUtilization',
  'MaxInitializationTime',
  'OverallSystemUsage',
  'ProfilerReport',
  'StepOutlier'
]);

/** What a rule is given besides its own parameters. */
const NO_PARAMETERS = ['rule_to_invoke', 'action_json', 'source_s3_uri'];

/** What stands for the image of a rule that was not given one. */
const RULES_IMAGE = 'sagemaker-debugger-rules:latest';

/** The same job with the rules that suit it, for one that has none. */
export function withSuggestedRules(job: IJob): IJob {
  const channels = (job.InputDataConfig ?? []).map(
    channel => channel.ChannelName
  );
  const overfits =
    shortImage(imageOf(job)) === 'xgboost' && channels.includes('validation');
  const rules = ['LossNotDecreasing', ...(overfits ? ['Overfit'] : [])];
  const rule = (name: string): IRuleConfiguration => ({
    RuleConfigurationName: name,
    RuleEvaluatorImage: RULES_IMAGE,
    RuleParameters: { rule_to_invoke: name }
  });
  return {
    ...job,
    DebugRuleConfigurations: rules.map(rule),
    ProfilerRuleConfigurations: [rule('ProfilerReport')]
  };
}

/** A built-in rule's name as the function of `rule_configs`: `NLPSequenceRatio` is `nlp_sequence_ratio`. */
export function factoryName(rule: string): string {
  return rule
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}

/** Code with version 2 of the SageMaker SDK that trains the same with the same rules and profiler. */
export function debuggerPython(job: IJob): string {
  const rules = [
    ...(job.DebugRuleConfigurations ?? []).map(debuggerRule),
    ...(job.ProfilerRuleConfigurations ?? []).map(profilerRule)
  ];
  const hook = hookConfig(job);
  const profiler = profilerConfig(job);
  const resources = job.ResourceConfig;
  const settings: Array<[string, string]> = [
    ['image_uri', pythonString(imageOf(job))],
    ['role', pythonString(job.RoleArn ?? '')],
    ['instance_count', String(resources?.InstanceCount ?? 1)],
    ['instance_type', pythonString(resources?.InstanceType ?? 'ml.m5.large')],
    ['output_path', pythonString(job.OutputDataConfig?.S3OutputPath ?? '')],
    ['hyperparameters', pythonLiteral(job.HyperParameters ?? {}, '    ')]
  ];
  if (job.Environment && Object.keys(job.Environment).length > 0) {
    settings.push(['environment', pythonLiteral(job.Environment, '    ')]);
  }
  if (rules.length > 0) {
    const lines = rules.map(rule => `        ${indented(rule, '        ')},\n`);
    settings.push(['rules', `[\n${lines.join('')}    ]`]);
  }
  if (hook) {
    settings.push(['debugger_hook_config', indented(hook, '    ')]);
  }
  if (profiler) {
    settings.push(['profiler_config', indented(profiler, '    ')]);
  }
  const body = call('Estimator', settings);
  const imports = [
    'CollectionConfig',
    'DebuggerHookConfig',
    'FrameworkProfile',
    'ProfilerConfig',
    'ProfilerRule',
    'Rule',
    'rule_configs'
  ].filter(name => new RegExp(`\\b${name}\\b`).test(body));
  const fit = channels(job);
  const head = [
    ...(imports.length > 0
      ? [`from sagemaker.debugger import ${imports.join(', ')}`]
      : []),
    'from sagemaker.estimator import Estimator',
    ...(fit.includes('TrainingInput')
      ? ['from sagemaker.inputs import TrainingInput']
      : [])
  ];
  return `${head.join('\n')}\n\nestimator = ${body}\nestimator.fit(${fit})\nprint(estimator.latest_training_job.rule_job_summary())\n`;
}

function debuggerRule(rule: IRuleConfiguration): string {
  const given = rule.RuleParameters ?? {};
  const name = given['rule_to_invoke'] ?? rule.RuleConfigurationName;
  if (!BUILT_IN.has(name) || given['source_s3_uri'] !== undefined) {
    return customRule('Rule', rule, name);
  }
  const parameters = ownParameters(given);
  const actions = ruleActions(given['action_json'] ?? '');
  return call('Rule.sagemaker', [
    ['', `rule_configs.${factoryName(name)}()`],
    ...named(rule, name),
    ...(Object.keys(parameters).length > 0
      ? [['rule_parameters', pythonLiteral(parameters, '    ')] as const]
      : []),
    ...(actions ? [['actions', actions] as const] : [])
  ]);
}

function profilerRule(rule: IRuleConfiguration): string {
  const given = rule.RuleParameters ?? {};
  const name = given['rule_to_invoke'] ?? rule.RuleConfigurationName;
  if (!PROFILER_RULES.has(name) || given['source_s3_uri'] !== undefined) {
    return customRule('ProfilerRule', rule, name);
  }
  const parameters = Object.entries(ownParameters(given)).map(
    ([member, value]) => `${member}=${numberOrText(value)}`
  );
  return call('ProfilerRule.sagemaker', [
    ['', `rule_configs.${name}(${parameters.join(', ')})`],
    ...named(rule, name)
  ]);
}

function customRule(
  kind: string,
  rule: IRuleConfiguration,
  invoked: string
): string {
  const given = rule.RuleParameters ?? {};
  const parameters = ownParameters(given);
  const source = given['source_s3_uri'];
  return call(`${kind}.custom`, [
    ['name', pythonString(rule.RuleConfigurationName)],
    ['image_uri', pythonString(rule.RuleEvaluatorImage)],
    ['instance_type', pythonString(rule.InstanceType ?? 'ml.t3.medium')],
    ['volume_size_in_gb', String(rule.VolumeSizeInGB ?? 10)],
    ...(source === undefined
      ? []
      : [['source', pythonString(source)] as const]),
    ['rule_to_invoke', pythonString(invoked)],
    ...(Object.keys(parameters).length > 0
      ? [['rule_parameters', pythonLiteral(parameters, '    ')] as const]
      : [])
  ]);
}

function named(
  rule: IRuleConfiguration,
  invoked: string
): Array<readonly [string, string]> {
  return rule.RuleConfigurationName === invoked
    ? []
    : [['name', pythonString(rule.RuleConfigurationName)]];
}

function ownParameters(given: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).filter(([name]) => !NO_PARAMETERS.includes(name))
  );
}

/** The actions as the SDK's objects; empty where there are none, or none that can be read. */
function ruleActions(json: string): string {
  let found: unknown;
  try {
    // The SDK sends the quotes inside escaped.
    found = JSON.parse(json.replace(/\\"/g, '"') || '[]');
  } catch {
    return '';
  }
  const actions = (Array.isArray(found) ? found : [found])
    .map(action => action as Record<string, string>)
    .map(action => {
      switch (action['name']) {
        case 'stoptraining':
          return 'rule_configs.StopTraining()';
        case 'email':
          return `rule_configs.Email(${pythonString(action['endpoint'] ?? '')})`;
        case 'sms':
          return `rule_configs.SMS(${pythonString(action['endpoint'] ?? '')})`;
        default:
          return '';
      }
    })
    .filter(Boolean);
  return actions.length > 1
    ? `rule_configs.ActionList(${actions.join(', ')})`
    : (actions[0] ?? '');
}

function hookConfig(job: IJob): string {
  const hook = job.DebugHookConfig;
  const collections = (hook?.CollectionConfigurations ?? []).map(item => {
    const parameters = item.CollectionParameters ?? {};
    const rest =
      Object.keys(parameters).length > 0
        ? `, parameters=${pythonLiteral(parameters, '        ')}`
        : '';
    return `        CollectionConfig(name=${pythonString(item.CollectionName ?? '')}${rest}),\n`;
  });
  const parameters = hook?.HookParameters ?? {};
  if (collections.length === 0 && Object.keys(parameters).length === 0) {
    return '';
  }
  return call('DebuggerHookConfig', [
    ['s3_output_path', pythonString(hook?.S3OutputPath ?? '')],
    ...(Object.keys(parameters).length > 0
      ? [['hook_parameters', pythonLiteral(parameters, '    ')] as const]
      : []),
    ...(collections.length > 0
      ? [['collection_configs', `[\n${collections.join('')}    ]`] as const]
      : [])
  ]);
}

function profilerConfig(job: IJob): string {
  const given = job.ProfilerConfig;
  const interval = given?.ProfilingIntervalInMilliseconds;
  const isFramework = Object.keys(given?.ProfilingParameters ?? {}).length > 0;
  const settings: Array<readonly [string, string]> = [
    ...(interval === undefined
      ? []
      : [['system_monitor_interval_millis', String(interval)] as const]),
    ...(isFramework
      ? [['framework_profile_params', 'FrameworkProfile()'] as const]
      : []),
    ...(given?.DisableProfiler ? [['disable_profiler', 'True'] as const] : [])
  ];
  return settings.length > 0 ? call('ProfilerConfig', settings) : '';
}

function channels(job: IJob): string {
  const lines = (job.InputDataConfig ?? []).flatMap(channel => {
    const uri = channel.DataSource?.S3DataSource?.S3Uri;
    const type = channel.ContentType;
    return uri === undefined
      ? []
      : [
          `    ${pythonString(channel.ChannelName)}: TrainingInput(${pythonString(uri)}${
            type ? `, content_type=${pythonString(type)}` : ''
          }),\n`
        ];
  });
  return lines.length > 0 ? `{\n${lines.join('')}}` : '';
}

function numberOrText(value: string): string {
  return /^-?\d+(\.\d+)?(e-?\d+)?$/i.test(value) ? value : pythonString(value);
}

/** A call with one argument a line; one that has a single argument stays on one line. */
function call(
  name: string,
  settings: ReadonlyArray<readonly [string, string]>
): string {
  const words = settings.map(([member, value]) =>
    member ? `${member}=${value}` : value
  );
  return words.length === 1
    ? `${name}(${words[0] ?? ''})`
    : `${name}(\n${words.map(word => `    ${word},\n`).join('')})`;
}

function indented(code: string, by: string): string {
  return code.replace(/\n/g, `\n${by}`);
}

import {
  debuggerPython,
  factoryName,
  withSuggestedRules
} from '../debugger/code';
import { job } from './examples';

it('names the functions of rule_configs', () => {
  expect(
    ['NLPSequenceRatio', 'DeadRelu', 'CreateXgboostReport', 'AllZero'].map(
      factoryName
    )
  ).toEqual([
    'nlp_sequence_ratio',
    'dead_relu',
    'create_xgboost_report',
    'all_zero'
  ]);
});

it('writes rules, actions, hook and profiler as the SDK has them', () => {
  const code = debuggerPython(
    job({
      DebugRuleConfigurations: [
        {
          RuleConfigurationName: 'Flat',
          RuleEvaluatorImage: 'rules:latest',
          RuleParameters: {
            rule_to_invoke: 'LossNotDecreasing',
            num_steps: '5',
            action_json:
              '[{\\"name\\": \\"stoptraining\\"}, {\\"endpoint\\": \\"a@b.co\\", \\"name\\": \\"email\\"}]'
          }
        },
        {
          RuleConfigurationName: 'Mine',
          RuleEvaluatorImage: 'img:1',
          InstanceType: 'ml.t3.medium',
          VolumeSizeInGB: 20,
          RuleParameters: {
            source_s3_uri: 's3://b/r.py',
            rule_to_invoke: 'Mine',
            limit: '3'
          }
        }
      ],
      ProfilerRuleConfigurations: [
        {
          RuleConfigurationName: 'ProfilerReport',
          RuleEvaluatorImage: 'rules:latest',
          RuleParameters: {
            rule_to_invoke: 'ProfilerReport',
            CPUBottleneck_threshold: '60'
          }
        }
      ],
      DebugHookConfig: {
        S3OutputPath: 's3://b/out/',
        CollectionConfigurations: [
          {
            CollectionName: 'metrics',
            CollectionParameters: { save_interval: '5' }
          }
        ]
      },
      ProfilerConfig: {
        S3OutputPath: 's3://b/out/',
        ProfilingIntervalInMilliseconds: 500
      }
    })
  );
  expect(code).toContain(
    `        Rule.sagemaker(
            rule_configs.loss_not_decreasing(),
            name="Flat",
            rule_parameters={
                "num_steps": "5",
            },
            actions=rule_configs.ActionList(rule_configs.StopTraining(), rule_configs.Email("a@b.co")),
        ),
        Rule.custom(
            name="Mine",
            image_uri="img:1",
            instance_type="ml.t3.medium",
            volume_size_in_gb=20,
            source="s3://b/r.py",
            rule_to_invoke="Mine",
            rule_parameters={
                "limit": "3",
            },
        ),
        ProfilerRule.sagemaker(rule_configs.ProfilerReport(CPUBottleneck_threshold=60)),
`
  );
  expect(code).toContain('    profiler_config=ProfilerConfig(');
  expect(code).toContain(
    'CollectionConfig(name="metrics", parameters={\n                "save_interval": "5",\n            })'
  );
  expect(code.split('\n')[0]).toBe(
    'from sagemaker.debugger import CollectionConfig, DebuggerHookConfig, ProfilerConfig, ProfilerRule, Rule, rule_configs'
  );
});

it('suggests Overfit only where there is something to hold out', () => {
  const plain = debuggerPython(withSuggestedRules(job()));
  expect(plain).toContain('Rule.sagemaker(rule_configs.loss_not_decreasing())');
  expect(plain).toContain(
    'ProfilerRule.sagemaker(rule_configs.ProfilerReport())'
  );
  expect(plain).not.toContain('overfit');
  const [train] = job().InputDataConfig ?? [];
  const held = { ...train, ChannelName: 'validation', DataSource: {} };
  const code = debuggerPython(
    withSuggestedRules(
      job({ InputDataConfig: [...(train ? [train] : []), held] })
    )
  );
  expect(code).toContain('rule_configs.overfit()');
});

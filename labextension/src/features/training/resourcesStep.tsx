import { Field, SuggestInput } from './fields';
import { FIELDS } from './findings';
import type { IStepProps } from './step';
import { problemOf } from './step';

/** Step 3: how large a machine, for how long, and what the job is called. */
export function ResourcesStep(props: IStepProps): JSX.Element {
  const { model, draft, catalog, findings, trans } = props;
  const chosen = catalog.InstanceTypes.find(
    item => item.InstanceType === draft.instanceType
  );
  return (
    <section aria-labelledby="bottega-train-resources">
      <h2 id="bottega-train-resources">
        {draft.search ? trans.__('4 · Resources') : trans.__('3 · Resources')}
      </h2>
      <div className="jp-BottegaTraining-grid">
        <Field
          label={trans.__('Machine size')}
          field={FIELDS.instanceType}
          hint={chosen?.Description}
          problem={problemOf(findings, FIELDS.instanceType)}
        >
          {attributes => (
            <select
              {...attributes}
              className="jp-BottegaInput"
              value={draft.instanceType}
              onChange={event =>
                model.edit({ instanceType: event.target.value })
              }
            >
              {!chosen && (
                <option value={draft.instanceType}>{draft.instanceType}</option>
              )}
              {catalog.InstanceTypes.map(item => (
                <option key={item.InstanceType} value={item.InstanceType}>
                  {item.InstanceType}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field
          label={trans.__('Instances')}
          field={FIELDS.instanceCount}
          hint={trans.__('How many hosts work together.')}
          problem={problemOf(findings, FIELDS.instanceCount)}
        >
          {attributes => (
            <NumberInput
              attributes={attributes}
              value={draft.instanceCount}
              step={1}
              onChange={instanceCount => model.edit({ instanceCount })}
            />
          )}
        </Field>
        <Field
          label={trans.__('Longest run time, in minutes')}
          field={FIELDS.maxRuntime}
          hint={
            draft.search
              ? trans.__('After that a trial is stopped.')
              : trans.__('After that the job is stopped.')
          }
          problem={problemOf(findings, FIELDS.maxRuntime)}
        >
          {attributes => (
            <NumberInput
              attributes={attributes}
              value={draft.maxRuntimeSeconds / 60}
              step="any"
              onChange={minutes =>
                model.edit({ maxRuntimeSeconds: Math.round(minutes * 60) })
              }
            />
          )}
        </Field>
        {!draft.search && (
          <Field
            label={trans.__('Experiment')}
            field={FIELDS.experiment}
            hint={
              model.experimentsProblem
                ? trans.__(
                    'The experiments cannot be read: %1',
                    model.experimentsProblem.message
                  )
                : trans.__('Its runs can be compared. May be left out.')
            }
            problem={problemOf(findings, FIELDS.experiment)}
          >
            {attributes => (
              <SuggestInput
                attributes={attributes}
                value={draft.experiment}
                suggestions={model.experiments}
                onFocus={() => {
                  if (model.experimentsProblem) {
                    void model.loadExperiments();
                  }
                }}
                onChange={experiment => model.edit({ experiment })}
              />
            )}
          </Field>
        )}
        <Field
          label={trans.__('Job name')}
          field={FIELDS.name}
          hint={trans.__('Without one the job is called as shown.')}
          problem={problemOf(findings, FIELDS.name)}
        >
          {attributes => (
            <input
              {...attributes}
              className="jp-BottegaInput"
              value={model.givenName}
              placeholder={model.madeName}
              spellCheck={false}
              onChange={event => model.edit({ name: event.target.value })}
            />
          )}
        </Field>
      </div>
    </section>
  );
}

/** A number; empty where it is none. */
export function NumberInput(props: {
  attributes: object;
  value: number;
  step: number | 'any';
  onChange: (value: number) => void;
}): JSX.Element {
  return (
    <input
      {...props.attributes}
      className="jp-BottegaInput"
      type="number"
      min={props.step === 'any' ? 0 : 1}
      step={props.step}
      value={Number.isFinite(props.value) ? props.value : ''}
      onChange={event => props.onChange(event.target.valueAsNumber)}
    />
  );
}

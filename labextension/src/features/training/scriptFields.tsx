import { Button } from '../../shared/components/controls';
import type { Script, Trainer } from './draft';
import { Field, PathInput } from './fields';
import { FIELDS } from './findings';
import { NameValues } from './nameValues';
import type { IStepProps } from './step';
import { problemOf } from './step';

type ScriptTrainer = Extract<Trainer, { kind: 'script' }>;

/** The framework, the script, what goes with it, and how its metrics are found. */
export function ScriptFields(
  props: IStepProps & { trainer: ScriptTrainer }
): JSX.Element {
  const { model, catalog, trainer, trans } = props;
  const change = (part: Partial<ScriptTrainer>): void =>
    model.setTrainer({ ...trainer, ...part });
  const known = catalog.Frameworks.some(
    item => item.TrainingImage === trainer.image
  );
  const framework = catalog.Frameworks.find(
    item => item.TrainingImage === trainer.image
  );
  return (
    <>
      <Field
        label={trans.__('Framework')}
        field={FIELDS.image}
        hint={framework?.Description}
      >
        {attributes => (
          <select
            {...attributes}
            className="jp-BottegaInput"
            value={trainer.image}
            onChange={event => change({ image: event.target.value })}
          >
            {!known && <option value={trainer.image}>{trainer.image}</option>}
            {catalog.Frameworks.map(item => (
              <option key={item.TrainingImage} value={item.TrainingImage}>
                {item.DisplayName}
              </option>
            ))}
          </select>
        )}
      </Field>
      <ScriptPath
        {...props}
        script={trainer.script}
        onChange={script => change({ script })}
      />
      <details className="jp-BottegaTraining-more">
        <summary>{trans.__('Metrics in the log')}</summary>
        <p className="jp-BottegaTraining-hint">
          {trans.__(
            'A name, and the regular expression whose first group is the value: auc=([0-9.]+)'
          )}
        </p>
        <NameValues
          values={trainer.metrics}
          noun={trans.__('metric')}
          valuePlaceholder="auc=([0-9.]+)"
          trans={trans}
          onChange={metrics => change({ metrics })}
        />
      </details>
    </>
  );
}

function ScriptPath(
  props: IStepProps & { script: Script; onChange: (script: Script) => void }
): JSX.Element {
  const { script, files, findings, trans, onChange } = props;
  if (script.kind === 'kept') {
    return (
      <div className="jp-BottegaTraining-field" data-field={FIELDS.script}>
        <span className="jp-BottegaTraining-label">{trans.__('Script')}</span>
        <span className="jp-BottegaTraining-kept">
          <code>{script.program || trans.__('in the container')}</code>
          <Button
            onClick={() => onChange({ kind: 'file', path: '', folder: '' })}
          >
            {trans.__('Choose another script')}
          </Button>
        </span>
        <p className="jp-BottegaTraining-hint">
          {trans.__('The code of the cloned job: %1', script.uri)}
        </p>
      </div>
    );
  }
  return (
    <>
      <Field
        label={trans.__('Script')}
        field={FIELDS.script}
        problem={script.path ? problemOf(findings, FIELDS.script) : undefined}
      >
        {attributes => (
          <PathInput
            attributes={attributes}
            value={script.path}
            kind="script"
            title={trans.__('Script')}
            placeholder={trans.__('train.py')}
            files={files}
            trans={trans}
            onChange={path => onChange({ ...script, path })}
          />
        )}
      </Field>
      <Field
        label={trans.__('Source folder')}
        field="SourceDir"
        hint={trans.__(
          'Goes along with the script: its modules, requirements.txt, inference.py. May be left out.'
        )}
      >
        {attributes => (
          <PathInput
            attributes={attributes}
            value={script.folder}
            kind="folder"
            title={trans.__('Source folder')}
            files={files}
            trans={trans}
            onChange={folder => onChange({ ...script, folder })}
          />
        )}
      </Field>
    </>
  );
}

import type { TranslationBundle } from '@jupyterlab/translation';

import { Button } from '../../../../shared/components/controls';

/** Several texts, one a line of the form. */
export function TextsField(props: {
  label: string;
  value: readonly string[];
  trans: TranslationBundle;
  onChange: (value: unknown) => void;
}): JSX.Element {
  const { value, trans, onChange } = props;
  return (
    <div className="jp-BottegaTexts">
      {value.map((text, index) => (
        <span key={index} className="jp-BottegaTexts-line">
          <input
            className="jp-BottegaInput"
            value={text}
            spellCheck={false}
            aria-label={trans.__('%1 %2', props.label, index + 1)}
            onChange={event =>
              onChange(
                value.map((item, at) =>
                  at === index ? event.target.value : item
                )
              )
            }
          />
          <Button
            label={trans.__('Remove %1 %2', props.label, index + 1)}
            onClick={() => {
              const rest = value.filter((_, at) => at !== index);
              onChange(rest.length > 0 ? rest : undefined);
            }}
          >
            {trans.__('Remove')}
          </Button>
        </span>
      ))}
      <Button
        label={trans.__('Add to %1', props.label)}
        onClick={() => onChange([...value, ''])}
      >
        {trans.__('Add')}
      </Button>
    </div>
  );
}

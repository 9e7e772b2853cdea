import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useState } from 'react';

import type { DeploymentPolicyType } from '../../api/types/hosting';
import type { IPolicyDraft } from './deploymentPolicy';
import { allowedSize, LONGEST_WAIT, SIZES } from './deploymentPolicy';
import { NumberField } from './numberField';

/** How the traffic of an update moves, and what rolls it back. */
export function PolicyForm(props: {
  initial: IPolicyDraft;
  /** Names of the alarms to choose from. */
  alarms: string[];
  trans: TranslationBundle;
  onChange: (draft: IPolicyDraft) => void;
}): JSX.Element {
  const { alarms, trans, onChange } = props;
  const base = useId();
  const [draft, setDraft] = useState(props.initial);
  useEffect(() => {
    onChange(draft);
  }, [draft, onChange]);
  const change = (part: Partial<IPolicyDraft>): void =>
    setDraft(present => ({ ...present, ...part }));
  // An alarm may be deleted since; it is there to be taken away.
  const offered = [...new Set([...draft.alarms, ...alarms])];
  const sizeLabel: Record<DeploymentPolicyType, string> = {
    ALL_AT_ONCE: '',
    CANARY: trans.__('Canary, % of the traffic'),
    LINEAR: trans.__('Each step, % of the traffic'),
    ROLLING: trans.__('Each batch, % of the instances')
  };
  return (
    <fieldset>
      <legend>{trans.__('How the traffic moves')}</legend>
      <label htmlFor={`${base}-way`}>{trans.__('Way')}</label>
      <select
        id={`${base}-way`}
        className="jp-BottegaInput"
        aria-describedby={`${base}-note`}
        value={draft.way}
        onChange={event => {
          const way = event.target.value as DeploymentPolicyType;
          change({
            way,
            size:
              way === 'ALL_AT_ONCE' ? draft.size : allowedSize(way, draft.size)
          });
        }}
      >
        <option value="ALL_AT_ONCE">{trans.__('All at once')}</option>
        <option value="CANARY">{trans.__('Canary')}</option>
        <option value="LINEAR">{trans.__('Linear')}</option>
        <option value="ROLLING">{trans.__('Rolling')}</option>
      </select>
      <p id={`${base}-note`} className="jp-BottegaDialog-note">
        {wayNote(draft.way, trans)}
      </p>
      {draft.way !== 'ALL_AT_ONCE' && (
        <NumberField
          label={sizeLabel[draft.way]}
          least={SIZES[draft.way].least}
          most={SIZES[draft.way].most}
          value={draft.size}
          onChange={size => change({ size })}
        />
      )}
      <NumberField
        label={
          draft.way === 'ALL_AT_ONCE'
            ? trans.__('Baking, seconds')
            : trans.__('Baking after each step, seconds')
        }
        least={0}
        most={LONGEST_WAIT}
        value={draft.wait}
        onChange={wait => change({ wait })}
      />
      {draft.way !== 'ROLLING' && (
        <NumberField
          label={trans.__('Keep the former servers, seconds')}
          least={0}
          most={LONGEST_WAIT}
          value={draft.keep}
          onChange={keep => change({ keep })}
        />
      )}
      {offered.length === 0 ? (
        <p className="jp-BottegaDialog-note">
          {trans.__(
            'There is no alarm yet that could roll the update back; the tab Alarms makes one.'
          )}
        </p>
      ) : (
        <div role="group" aria-labelledby={`${base}-alarms`}>
          <span id={`${base}-alarms`}>
            {trans.__('Roll back when one of these alarms rings')}
          </span>
          <div className="jp-BottegaDialog-choices">
            {offered.map(name => (
              <label key={name}>
                <input
                  type="checkbox"
                  checked={draft.alarms.includes(name)}
                  onChange={event =>
                    change({
                      alarms: event.target.checked
                        ? [...draft.alarms, name]
                        : draft.alarms.filter(other => other !== name)
                    })
                  }
                />{' '}
                {name}
              </label>
            ))}
          </div>
        </div>
      )}
    </fieldset>
  );
}

/** What a way of moving traffic means. */
function wayNote(way: DeploymentPolicyType, trans: TranslationBundle): string {
  return {
    ALL_AT_ONCE: trans.__(
      'New servers are started beside the present ones and take over all traffic at once.'
    ),
    CANARY: trans.__(
      'A small share goes to the new servers first; when it has baked, the rest follows.'
    ),
    LINEAR: trans.__(
      'The traffic moves in equal steps, with a time of baking after each.'
    ),
    ROLLING: trans.__(
      'Instances are replaced in batches, so that few more are needed meanwhile.'
    )
  }[way];
}

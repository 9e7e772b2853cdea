import type { TranslationBundle } from '@jupyterlab/translation';
import { useState } from 'react';

import type { IRuleFinding, IRuleReport } from '../../../api/types/debugger';
import { clock, moment, span } from '../../../shared/format';

/** So many findings of a rule are shown at first: the last ones. */
const SHOWN = 5;
/** So many tensors of a finding are named. */
const NAMED = 3;

/** What a rule found, oldest first: when, what, and what to do about it. */
export function Findings(props: {
  rule: IRuleReport;
  trans: TranslationBundle;
}): JSX.Element {
  const { rule, trans } = props;
  const [all, setAll] = useState(false);
  const findings = rule.Findings;
  const shown = all ? findings : findings.slice(-SHOWN);
  if (findings.length === 0) {
    return <></>;
  }
  // Findings with the same advice say it once.
  const advice = [...new Set(shown.flatMap(finding => finding.Advice ?? []))];
  return (
    <>
      <ol className="jp-BottegaRule-findings" aria-label={trans.__('Findings')}>
        {shown.map((finding, index) => (
          <li key={`${finding.Time} ${index}`}>
            <Finding finding={finding} trans={trans} />
          </li>
        ))}
      </ol>
      {shown.length < rule.FindingCount && (
        <p className="jp-BottegaHeader-facts">
          {shown.length < findings.length
            ? trans.__(
                'The last %1 of %2 findings.',
                shown.length,
                rule.FindingCount
              )
            : trans.__(
                '%1 findings in all; these are kept.',
                rule.FindingCount
              )}{' '}
          {shown.length < findings.length && (
            <button
              type="button"
              className="jp-BottegaLink"
              onClick={() => setAll(true)}
            >
              {trans.__('Show more')}
            </button>
          )}
        </p>
      )}
      {advice.map(text => (
        <p key={text} className="jp-BottegaRule-findings-advice">
          <strong>{trans.__('What to do:')}</strong> {text}
        </p>
      ))}
    </>
  );
}

function Finding(props: {
  finding: IRuleFinding;
  trans: TranslationBundle;
}): JSX.Element {
  const { finding, trans } = props;
  const { EndTime: end, Step: step, Tensors: tensors, Time: time } = finding;
  const words = [
    ...(step === undefined ? [] : [trans.__('step %1', step.toLocaleString())]),
    clock(time),
    ...(end !== undefined && end > time
      ? [trans.__('for %1', span(end - time))]
      : [])
  ];
  return (
    <>
      <span className="jp-BottegaRule-findings-when" title={moment(time)}>
        {words.join(', ')}
      </span>
      <span className="jp-BottegaRule-findings-what">
        {finding.Message}
        {tensors.length > 0 && (
          <small title={tensors.join('\n')}>{namesOf(tensors, trans)}</small>
        )}
      </span>
    </>
  );
}

function namesOf(names: readonly string[], trans: TranslationBundle): string {
  const few = names.slice(0, NAMED).join(', ');
  return names.length > NAMED
    ? trans.__('%1 and %2 more', few, names.length - NAMED)
    : few;
}

/** What the rules of a training job found: stands after what the monitors share, in the modules of those that show it. */

const SHOWN_FINDINGS = 3;
const RULE_SIGNS = { IssuesFound: '✗', Error: '✗', NoIssuesFound: '✓', Stopped: '■' };
const RULE_LOOKS = { IssuesFound: 'Failed', Error: 'Failed', NoIssuesFound: 'Completed' };

/** The rules of a job, which is asked about only where it has some. */
async function rulesOf(call, description) {
  const members = ['DebugRuleEvaluationStatuses', 'ProfilerRuleEvaluationStatuses'];
  if (!members.some(member => description[member]?.length)) {
    return [];
  }
  const request = { TrainingJobName: description.TrainingJobName };
  return (await call('bottega', 'DescribeTrainingJobDebugger', request)).Rules;
}

/** `step 30, 12:04:41: The loss was 0.69 at step 20 …` */
function findingLine(finding) {
  const time = new Date(finding.Time * 1000).toLocaleTimeString([], { hourCycle: 'h23' });
  const step = finding.Step === undefined ? '' : `step ${finding.Step}, `;
  return `${step}${time}: ${finding.Message}`;
}

/** The rule's name with what it looks for, or why it could not look. */
export function ruleHeading(rule) {
  const name = rule.RuleConfigurationName;
  if (rule.Status === 'Error') {
    return `${name}: ${rule.StatusDetails || 'no reason is known'}`;
  }
  const said = rule.NotApplicable
    ? `nothing to look at here: ${rule.NotApplicable}`
    : rule.Description || '';
  return said ? `${name}: ${said}` : name;
}

function ruleItem(rule) {
  const chip = make('span', { class: 'bottega-status' }, `${RULE_SIGNS[rule.Status] || '●'} ${rule.Status}`);
  chip.dataset.status = RULE_LOOKS[rule.Status] || rule.Status;
  const item = make('li', {}, chip, ` ${ruleHeading(rule)}`);
  const shown = rule.Findings.slice(-SHOWN_FINDINGS);
  const lines = shown.map(finding => make('li', {}, findingLine(finding)));
  if (rule.FindingCount > shown.length) {
    lines.push(make('li', {}, `and ${rule.FindingCount - shown.length} before`));
  }
  if (lines.length) {
    item.append(make('ul', {}, ...lines));
  }
  for (const text of new Set(shown.map(finding => finding.Advice).filter(Boolean))) {
    item.append(make('p', { class: 'bottega-quiet' }, `What to do: ${text}`));
  }
  return item;
}

/** A list of rules, which `show` fills; nothing is drawn anew that has not changed. */
function rulesList() {
  const list = make('ul', { class: 'bottega-rules', 'aria-label': 'Rules', 'aria-live': 'polite' });
  let drawn = '';
  return {
    node: list,
    show(rules) {
      list.hidden = !rules.length;
      const now = JSON.stringify(rules.map(rule => [ruleHeading(rule), rule.Status, rule.FindingCount]));
      if (now !== drawn) {
        drawn = now;
        list.replaceChildren(...rules.map(ruleItem));
      }
    }
  };
}

import type { IMetricAlarm } from '../../api/types/cloudwatch';
import type { IDescribeEndpointOutput } from '../../api/types/hosting';
import { Button } from '../../shared/components/controls';
import { Empty, Loadable } from '../../shared/components/states';
import { StatusChip } from '../../shared/components/status';
import { ago, moment } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import { useNow } from '../../shared/hooks/useNow';
import type { IScreenProps } from '../../tokens';
import { AlarmForm } from './alarmForm';
import type { IAlarmDraft } from './alarms';
import { alarmOf, alarmWords, allAlarms, isOf, WATCHED } from './alarms';
import { askForm, attempt, confirmed } from '../../shared/forms/formDialog';

/** The alarms that look at this endpoint, and a way to a simple one. */
export function AlarmsTab(
  props: IScreenProps & { endpoint: IDescribeEndpointOutput }
): JSX.Element {
  const { client, endpoint, name, trans } = props;
  const alarms = useLive(
    props,
    async signal =>
      (await allAlarms(client, signal)).filter(alarm => isOf(alarm, name)),
    [name],
    { concerns: event => event.Kind === 'Alarm' }
  );
  const variants = (endpoint.ProductionVariants ?? []).map(
    variant => variant.VariantName
  );
  const add = async (): Promise<void> => {
    const initial: IAlarmDraft = {
      name: `${name}-errors`,
      variant: variants[0] ?? '',
      watched: 'errors5xx',
      threshold: WATCHED.errors5xx.threshold,
      above: true,
      period: 60,
      periods: 1
    };
    const draft = await askForm({
      title: trans.__('New alarm of %1', name),
      accept: trans.__('Create'),
      initial,
      form: (value, onChange) => (
        <AlarmForm
          initial={value}
          endpoint={name}
          variants={variants}
          trans={trans}
          onChange={onChange}
        />
      )
    });
    if (draft) {
      await attempt(
        () => client.call('cloudwatch:PutMetricAlarm', alarmOf(name, draft)),
        trans.__('The alarm is not made'),
        trans
      );
    }
  };
  const newAlarm = trans.__('New alarm');
  return (
    <Loadable
      live={alarms}
      trans={trans}
      what={trans.__('The alarms cannot be read.')}
    >
      {found =>
        found.length === 0 ? (
          <Empty
            sentence={trans.__(
              'No alarm looks at this endpoint yet. One that rings during an update rolls the update back.'
            )}
            {...(variants.length > 0
              ? { action: { label: newAlarm, run: () => void add() } }
              : {})}
          />
        ) : (
          <section className="jp-BottegaCard">
            <h2>{trans.__('Alarms')}</h2>
            <AlarmTable {...props} alarms={found} />
            <div className="jp-BottegaTest-controls">
              <Button
                kind="primary"
                disabled={variants.length === 0}
                onClick={() => void add()}
              >
                {newAlarm}
              </Button>
            </div>
          </section>
        )
      }
    </Loadable>
  );
}

function AlarmTable(
  props: IScreenProps & { alarms: readonly IMetricAlarm[] }
): JSX.Element {
  const { alarms, client, frame, trans } = props;
  const now = useNow(frame, true);
  const remove = async (alarm: string): Promise<void> => {
    const sure = await confirmed(
      trans.__('Delete the alarm %1?', alarm),
      trans.__('An update that names it is not rolled back by it any more.'),
      trans.__('Delete')
    );
    if (sure) {
      await attempt(
        () => client.call('cloudwatch:DeleteAlarms', { AlarmNames: [alarm] }),
        trans.__('The alarm is not deleted'),
        trans
      );
    }
  };
  return (
    <table className="jp-BottegaVariants">
      <thead>
        <tr>
          <th scope="col">{trans.__('State')}</th>
          <th scope="col">{trans.__('Name')}</th>
          <th scope="col">{trans.__('Rings when')}</th>
          <th scope="col">{trans.__('Variant')}</th>
          <th scope="col">{trans.__('Since')}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {alarms.map(alarm => {
          const { AlarmName: name = '', StateTransitionedTimestamp: since } =
            alarm;
          return (
            <tr key={name} data-alarm={name}>
              <td>
                <StatusChip status={alarm.StateValue ?? 'INSUFFICIENT_DATA'} />
              </td>
              <th scope="row" className="jp-mod-name">
                {name}
              </th>
              <td>
                {alarmWords(alarm, trans)}
                <p className="jp-BottegaTest-hint">{alarm.StateReason}</p>
              </td>
              <td className="jp-mod-name">
                {alarm.Dimensions?.find(
                  dimension => dimension.Name === 'VariantName'
                )?.Value ?? ''}
              </td>
              <td
                className="jp-mod-name"
                title={since === undefined ? '' : moment(since)}
              >
                {since === undefined ? '' : ago(since, now, trans)}
              </td>
              <td>
                <Button
                  label={trans.__('Delete %1', name)}
                  onClick={() => void remove(name)}
                >
                  {trans.__('Delete')}
                </Button>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

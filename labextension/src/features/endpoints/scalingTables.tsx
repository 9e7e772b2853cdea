import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IEndpointScalingActivity,
  IEndpointScalingTarget
} from '../../api/types/autoscaling';
import { Button } from '../../shared/components/controls';
import { StatusChip } from '../../shared/components/status';
import { ago, moment } from '../../shared/format';
import { useNow } from '../../shared/hooks/useNow';
import type { IScreenProps } from '../../tokens';
import { attempt } from '../../shared/forms/formDialog';
import type { IScaled } from './scaling';

/** The scheduled actions of a variant; nothing where it has none. */
export function Schedules(
  props: IScreenProps & {
    target: IEndpointScalingTarget;
    scaled: IScaled;
    /** Look again, as something was changed. */
    refresh: () => void;
  }
): JSX.Element | null {
  const { client, target, scaled, trans, refresh } = props;
  if (target.ScheduledActions.length === 0) {
    return null;
  }
  return (
    <table className="jp-BottegaVariants">
      <thead>
        <tr>
          <th scope="col">{trans.__('Scheduled action')}</th>
          <th scope="col">{trans.__('Schedule')}</th>
          <th scope="col">{trans.__('Next')}</th>
          <th scope="col">{trans.__('Sets')}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {target.ScheduledActions.map(action => (
          <tr key={action.ScheduledActionName}>
            <th scope="row">{action.ScheduledActionName}</th>
            <td>
              {action.Schedule} {action.Timezone}
            </td>
            <td>
              {action.NextTime === undefined
                ? trans.__('never again')
                : moment(action.NextTime)}
            </td>
            <td>
              {trans.__(
                '%1 to %2',
                action.MinCapacity ?? '…',
                action.MaxCapacity ?? '…'
              )}
            </td>
            <td>
              <Button
                label={trans.__('Delete %1', action.ScheduledActionName)}
                onClick={() =>
                  void attempt(
                    () =>
                      client.call(
                        'application-autoscaling:DeleteScheduledAction',
                        {
                          ...scaled,
                          ScheduledActionName: action.ScheduledActionName
                        }
                      ),
                    trans.__('The scheduled action is not deleted'),
                    trans
                  ).then(refresh)
                }
              >
                {trans.__('Delete')}
              </Button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What was scaled, and what was not, and why. */
export function Activities(
  props: IScreenProps & { activities: readonly IEndpointScalingActivity[] }
): JSX.Element {
  const { activities, frame, trans } = props;
  const now = useNow(frame, true);
  if (activities.length === 0) {
    return <p>{trans.__('Nothing was scaled yet.')}</p>;
  }
  return (
    <table className="jp-BottegaVariants">
      <thead>
        <tr>
          <th scope="col">{trans.__('Activity')}</th>
          <th scope="col">{trans.__('When')}</th>
          <th scope="col">{trans.__('What and why')}</th>
        </tr>
      </thead>
      <tbody>
        {activities.map(activity => (
          <tr key={activity.ActivityId} data-activity={activity.StatusCode}>
            <td>
              <StatusChip status={activity.StatusCode} />
            </td>
            <td className="jp-mod-name" title={moment(activity.StartTime)}>
              {ago(activity.StartTime, now, trans)}
            </td>
            <td>
              {activity.Description}
              <ActivityHint activity={activity} trans={trans} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ActivityHint(props: {
  activity: IEndpointScalingActivity;
  trans: TranslationBundle;
}): JSX.Element {
  const { activity } = props;
  const parts = [activity.Cause, activity.Arithmetic, activity.NotScaledCode];
  return (
    <p className="jp-BottegaTest-hint">
      {parts.filter(part => part).join(' · ')}
    </p>
  );
}

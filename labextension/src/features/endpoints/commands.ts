/** Commands of this feature, by which other features call it too. */
export const DEPLOY_COMMAND = 'bottega:deploy';
export const DELETE_COMMAND = 'bottega:delete-endpoint';
export const OPEN_LIST_COMMAND = 'bottega:open-endpoints';
export const OPEN_COMMAND = 'bottega:open-endpoint';

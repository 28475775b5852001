// The table of contents of the Client-Server API: every endpoint that is served, by topic.

import type { Route } from '../http/route.ts';
import type { ClientapiContext } from './context.ts';
import { ban } from './routes/ban.ts';
import { changePassword } from './routes/changePassword.ts';
import { checkUsernameAvailability } from './routes/checkUsernameAvailability.ts';
import { claimKeys } from './routes/claimKeys.ts';
import { createContent } from './routes/createContent.ts';
import { createRoom } from './routes/createRoom.ts';
import { deactivateAccount } from './routes/deactivateAccount.ts';
import { defineFilter } from './routes/defineFilter.ts';
import { deleteDevice } from './routes/deleteDevice.ts';
import { deleteDevices } from './routes/deleteDevices.ts';
import { deleteProfileField } from './routes/deleteProfileField.ts';
import { deletePushRule } from './routes/deletePushRule.ts';
import { deleteRoomAlias } from './routes/deleteRoomAlias.ts';
import { deleteRoomKeyBySessionId } from './routes/deleteRoomKeyBySessionId.ts';
import { deleteRoomKeys } from './routes/deleteRoomKeys.ts';
import { deleteRoomKeysByRoomId } from './routes/deleteRoomKeysByRoomId.ts';
import { deleteRoomKeysVersion } from './routes/deleteRoomKeysVersion.ts';
import { deleteRoomTag } from './routes/deleteRoomTag.ts';
import { forgetRoom } from './routes/forgetRoom.ts';
import { generateLoginToken } from './routes/generateLoginToken.ts';
import { getAccount3PIDs } from './routes/getAccount3PIDs.ts';
import { getAccountData } from './routes/getAccountData.ts';
import { getAccountDataPerRoom } from './routes/getAccountDataPerRoom.ts';
import { getCapabilities } from './routes/getCapabilities.ts';
import { getConfig } from './routes/getConfig.ts';
import { getConfigAuthed } from './routes/getConfigAuthed.ts';
import { getContent } from './routes/getContent.ts';
import { getContentAuthed } from './routes/getContentAuthed.ts';
import { getContentOverrideName } from './routes/getContentOverrideName.ts';
import { getContentOverrideNameAuthed } from './routes/getContentOverrideNameAuthed.ts';
import { getContentThumbnail } from './routes/getContentThumbnail.ts';
import { getContentThumbnailAuthed } from './routes/getContentThumbnailAuthed.ts';
import { getDevice } from './routes/getDevice.ts';
import { getDevices } from './routes/getDevices.ts';
import { getEventContext } from './routes/getEventContext.ts';
import { getFilter } from './routes/getFilter.ts';
import { getJoinedMembersByRoom } from './routes/getJoinedMembersByRoom.ts';
import { getJoinedRooms } from './routes/getJoinedRooms.ts';
import { getKeysChanges } from './routes/getKeysChanges.ts';
import { getLocalAliases } from './routes/getLocalAliases.ts';
import { getLoginFlows } from './routes/getLoginFlows.ts';
import { getMembersByRoom } from './routes/getMembersByRoom.ts';
import { getNotifications } from './routes/getNotifications.ts';
import { getOneEvent } from './routes/getOneEvent.ts';
import { getOneRoomEvent } from './routes/getOneRoomEvent.ts';
import { getPresence } from './routes/getPresence.ts';
import { getProfileField } from './routes/getProfileField.ts';
import { getPublicRooms } from './routes/getPublicRooms.ts';
import { getPushers } from './routes/getPushers.ts';
import { getPushRule } from './routes/getPushRule.ts';
import { getPushRuleActions } from './routes/getPushRuleActions.ts';
import { getPushRules } from './routes/getPushRules.ts';
import { getPushRulesGlobal } from './routes/getPushRulesGlobal.ts';
import { getPushRulesOfKind } from './routes/getPushRulesOfKind.ts';
import { getRegistrationNonce } from './routes/getRegistrationNonce.ts';
import { getRelatingEvents } from './routes/getRelatingEvents.ts';
import { getRelatingEventsWithRelType } from './routes/getRelatingEventsWithRelType.ts';
import { getRelatingEventsWithRelTypeAndEventType } from './routes/getRelatingEventsWithRelTypeAndEventType.ts';
import { getRoomEvents } from './routes/getRoomEvents.ts';
import { getRoomIdByAlias } from './routes/getRoomIdByAlias.ts';
import { getRoomKeyBySessionId } from './routes/getRoomKeyBySessionId.ts';
import { getRoomKeys } from './routes/getRoomKeys.ts';
import { getRoomKeysByRoomId } from './routes/getRoomKeysByRoomId.ts';
import { getRoomKeysVersion } from './routes/getRoomKeysVersion.ts';
import { getRoomKeysVersionCurrent } from './routes/getRoomKeysVersionCurrent.ts';
import { getRoomState } from './routes/getRoomState.ts';
import { getRoomStateWithKey } from './routes/getRoomStateWithKey.ts';
import { getRoomSummary } from './routes/getRoomSummary.ts';
import { getRoomTags } from './routes/getRoomTags.ts';
import { getRoomVisibilityOnDirectory } from './routes/getRoomVisibilityOnDirectory.ts';
import { getSpaceHierarchy } from './routes/getSpaceHierarchy.ts';
import { getTokenOwner } from './routes/getTokenOwner.ts';
import { getTurnServer } from './routes/getTurnServer.ts';
import { getUserProfile } from './routes/getUserProfile.ts';
import { getVersions } from './routes/getVersions.ts';
import { getWellknown } from './routes/getWellknown.ts';
import { getWellknownPolicy } from './routes/getWellknownPolicy.ts';
import { initialSync } from './routes/initialSync.ts';
import { inviteUser } from './routes/inviteUser.ts';
import { isPushRuleEnabled } from './routes/isPushRuleEnabled.ts';
import { joinRoom } from './routes/joinRoom.ts';
import { joinRoomById } from './routes/joinRoomById.ts';
import { kick } from './routes/kick.ts';
import { knockRoom } from './routes/knockRoom.ts';
import { leaveRoom } from './routes/leaveRoom.ts';
import { login } from './routes/login.ts';
import { logout } from './routes/logout.ts';
import { logoutAll } from './routes/logoutAll.ts';
import { peekEvents } from './routes/peekEvents.ts';
import { peekRoom } from './routes/peekRoom.ts';
import { postPusher } from './routes/postPusher.ts';
import { postReceipt } from './routes/postReceipt.ts';
import { postRoomKeysVersion } from './routes/postRoomKeysVersion.ts';
import { putRoomKeyBySessionId } from './routes/putRoomKeyBySessionId.ts';
import { putRoomKeys } from './routes/putRoomKeys.ts';
import { putRoomKeysByRoomId } from './routes/putRoomKeysByRoomId.ts';
import { putRoomKeysVersion } from './routes/putRoomKeysVersion.ts';
import { queryKeys } from './routes/queryKeys.ts';
import { queryPublicRooms } from './routes/queryPublicRooms.ts';
import { redactEvent } from './routes/redactEvent.ts';
import { redactEventOnce } from './routes/redactEventOnce.ts';
import { refresh } from './routes/refresh.ts';
import { register } from './routes/register.ts';
import { registerBySharedSecret } from './routes/registerBySharedSecret.ts';
import { requestOpenIdToken } from './routes/requestOpenIdToken.ts';
import { roomInitialSync } from './routes/roomInitialSync.ts';
import { searchUserDirectory } from './routes/searchUserDirectory.ts';
import { sendMessage } from './routes/sendMessage.ts';
import { sendMessageOnce } from './routes/sendMessageOnce.ts';
import { sendToDevice } from './routes/sendToDevice.ts';
import { setAccountData } from './routes/setAccountData.ts';
import { setAccountDataPerRoom } from './routes/setAccountDataPerRoom.ts';
import { setPresence } from './routes/setPresence.ts';
import { setProfileField } from './routes/setProfileField.ts';
import { setPushRule } from './routes/setPushRule.ts';
import { setPushRuleActions } from './routes/setPushRuleActions.ts';
import { setPushRuleEnabled } from './routes/setPushRuleEnabled.ts';
import { setReadMarker } from './routes/setReadMarker.ts';
import { setRoomAlias } from './routes/setRoomAlias.ts';
import { setRoomStateWithKey } from './routes/setRoomStateWithKey.ts';
import { setRoomTag } from './routes/setRoomTag.ts';
import { setRoomVisibilityOnDirectory } from './routes/setRoomVisibilityOnDirectory.ts';
import { setTyping } from './routes/setTyping.ts';
import { sync } from './routes/sync.ts';
import { unban } from './routes/unban.ts';
import { unpeekRoom } from './routes/unpeekRoom.ts';
import { updateDevice } from './routes/updateDevice.ts';
import { upgradeRoom } from './routes/upgradeRoom.ts';
import { uploadContent } from './routes/uploadContent.ts';
import { uploadContentToMXC } from './routes/uploadContentToMXC.ts';
import { uploadCrossSigningKeys } from './routes/uploadCrossSigningKeys.ts';
import { uploadCrossSigningSignatures } from './routes/uploadCrossSigningSignatures.ts';
import { uploadKeys } from './routes/uploadKeys.ts';

type RouteOf = (context: ClientapiContext) => Route;

const routes: readonly RouteOf[] = [
  // The server
  getVersions,
  getCapabilities,
  getWellknown,
  getWellknownPolicy,
  getTurnServer,
  // Accounts and sessions
  register,
  checkUsernameAvailability,
  getLoginFlows,
  login,
  generateLoginToken,
  refresh,
  logout,
  logoutAll,
  getTokenOwner,
  changePassword,
  deactivateAccount,
  getAccount3PIDs,
  requestOpenIdToken,
  // Devices
  getDevices,
  getDevice,
  updateDevice,
  deleteDevice,
  deleteDevices,
  // End-to-end encryption
  uploadKeys,
  queryKeys,
  claimKeys,
  getKeysChanges,
  uploadCrossSigningKeys,
  uploadCrossSigningSignatures,
  // Backups of room keys
  postRoomKeysVersion,
  getRoomKeysVersionCurrent,
  getRoomKeysVersion,
  putRoomKeysVersion,
  deleteRoomKeysVersion,
  putRoomKeyBySessionId,
  getRoomKeyBySessionId,
  deleteRoomKeyBySessionId,
  putRoomKeysByRoomId,
  getRoomKeysByRoomId,
  deleteRoomKeysByRoomId,
  putRoomKeys,
  getRoomKeys,
  deleteRoomKeys,
  // Profiles and finding people
  getUserProfile,
  getProfileField,
  setProfileField,
  deleteProfileField,
  searchUserDirectory,
  // Rooms and who is in them
  createRoom,
  joinRoom,
  joinRoomById,
  knockRoom,
  inviteUser,
  leaveRoom,
  kick,
  ban,
  unban,
  forgetRoom,
  upgradeRoom,
  getJoinedRooms,
  getMembersByRoom,
  getJoinedMembersByRoom,
  // Finding rooms
  getRoomIdByAlias,
  setRoomAlias,
  deleteRoomAlias,
  getLocalAliases,
  getRoomVisibilityOnDirectory,
  setRoomVisibilityOnDirectory,
  getPublicRooms,
  queryPublicRooms,
  getSpaceHierarchy,
  getRoomSummary,
  // Events
  sendMessage,
  sendMessageOnce,
  setRoomStateWithKey,
  redactEvent,
  redactEventOnce,
  getRoomState,
  getRoomStateWithKey,
  getOneRoomEvent,
  getOneEvent,
  getEventContext,
  getRoomEvents,
  getRelatingEvents,
  getRelatingEventsWithRelType,
  getRelatingEventsWithRelTypeAndEventType,
  // Following what happens
  sync,
  initialSync,
  roomInitialSync,
  peekEvents,
  defineFilter,
  getFilter,
  // Peeking
  peekRoom,
  unpeekRoom,
  // Typing, receipts, presence and messages to devices
  setTyping,
  postReceipt,
  setReadMarker,
  setPresence,
  getPresence,
  sendToDevice,
  // Account data and tags
  setAccountData,
  getAccountData,
  setAccountDataPerRoom,
  getAccountDataPerRoom,
  getRoomTags,
  setRoomTag,
  deleteRoomTag,
  // Push rules, pushers and notifications
  getPushRules,
  getPushRulesGlobal,
  getPushRulesOfKind,
  getPushRule,
  setPushRule,
  deletePushRule,
  isPushRuleEnabled,
  setPushRuleEnabled,
  getPushRuleActions,
  setPushRuleActions,
  getPushers,
  postPusher,
  getNotifications,
  // Media
  uploadContent,
  createContent,
  uploadContentToMXC,
  getContentAuthed,
  getContentOverrideNameAuthed,
  getContentThumbnailAuthed,
  getConfigAuthed,
  // Media, by paths that are frozen or old
  getContent,
  getContentOverrideName,
  getContentThumbnail,
  getConfig,
  // Administration
  getRegistrationNonce,
  registerBySharedSecret,
];

export function createRoutes(context: ClientapiContext): readonly Route[] {
  return routes.map((route) => route(context));
}

/** Operations of the specification that share method and path with another, which serves both. */
export const SHARED_OPERATIONS: Readonly<Record<string, string>> = {
  getEvents: 'peekEvents',
  inviteBy3PID: 'inviteUser',
};

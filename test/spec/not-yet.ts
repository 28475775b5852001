// Operations of the Client-Server API that are not built yet: they answer 404 M_UNRECOGNIZED.

export const NOT_YET: readonly string[] = [
  // Third-party identifiers, mail and identity servers
  'post3PIDs',
  'add3PID',
  'bind3PID',
  'delete3pidFromAccount',
  'unbind3pidFromAccount',
  'requestTokenTo3PIDEmail',
  'requestTokenTo3PIDMSISDN',
  'requestTokenToRegisterEmail',
  'requestTokenToRegisterMSISDN',
  'requestTokenToResetPasswordEmail',
  'requestTokenToResetPasswordMSISDN',
  // Signing in elsewhere
  'redirectToSSO',
  'redirectToIdP',
  'getAuthMetadata',
  'registrationTokenValidity',
  // Application services and third-party networks
  'pingAppservice',
  'updateAppserviceRoomDirectoryVisibility',
  'getProtocols',
  'getProtocolMetadata',
  'queryLocationByProtocol',
  'queryUserByProtocol',
  'queryLocationByAlias',
  'queryUserByID',
  // Administration and moderation
  'getWhoIs',
  'getAdminSuspendUser',
  'setAdminSuspendUser',
  'getAdminLockUser',
  'setAdminLockUser',
  'reportRoom',
  'reportEvent',
  'reportUser',
  'getWellknownSupport',
  // Finding things
  'search',
  'getMutualRooms',
  'getThreadRoots',
  'getEventByTimestamp',
  'getUrlPreview',
  'getUrlPreviewAuthed',
  // Rooms
];

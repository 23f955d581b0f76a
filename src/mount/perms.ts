/** Actions that the execution role needs to mount a filesystem, and those that it is denied where it may only read; sorted. */

export const EFS_READ_ACTIONS = ['elasticfilesystem:ClientMount'];
export const EFS_READ_WRITE_ACTIONS = ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'];
// Not `ClientRootAccess`, which lets root be root and writes nothing: a container that runs as root could not read what is root's alone.
export const EFS_WRITE_ACTIONS = ['elasticfilesystem:ClientWrite'];

export const S3_FILES_READ_ACTIONS = ['s3files:ClientMount'];
export const S3_FILES_READ_WRITE_ACTIONS = ['s3files:ClientMount', 's3files:ClientWrite'];
export const S3_FILES_WRITE_ACTIONS = ['s3files:ClientWrite'];

// The service looks at the access point and its mount targets when a runtime is made with it. Neither action knows the condition key of the others.
/** On the access point. */
export const S3_FILES_ACCESS_POINT_ACTIONS = ['s3files:GetAccessPoint'];
/** On the file system. */
export const S3_FILES_MOUNT_TARGETS_ACTIONS = ['s3files:ListMountTargets'];

// What GStreamer's CUDA library and its plugin nvcodec look up in libcuda.so.1 and libnvcuvid.so.1 when they
// load them, and no test calls.
#define NOT_EMULATED(name) \
  extern "C" int name() {  \
    return 801;            \
  }  // CUDA_ERROR_NOT_SUPPORTED

NOT_EMULATED(cuCtxEnablePeerAccess)
NOT_EMULATED(cuCtxDisablePeerAccess)
NOT_EMULATED(cuGLGetDevices_v2)
NOT_EMULATED(cuGraphicsGLRegisterBuffer)
NOT_EMULATED(cuGraphicsGLRegisterImage)
NOT_EMULATED(cuGraphicsMapResources)
NOT_EMULATED(cuGraphicsResourceGetMappedPointer_v2)
NOT_EMULATED(cuGraphicsResourceSetMapFlags_v2)
NOT_EMULATED(cuGraphicsSubResourceGetMappedArray)
NOT_EMULATED(cuGraphicsUnmapResources)
NOT_EMULATED(cuGraphicsUnregisterResource)
NOT_EMULATED(cuLaunchKernel)
NOT_EMULATED(cuModuleGetFunction)
NOT_EMULATED(cuModuleLoadData)
NOT_EMULATED(cuModuleUnload)
NOT_EMULATED(cuTexObjectCreate)
NOT_EMULATED(cuTexObjectDestroy)

NOT_EMULATED(cuvidCreateDecoder)
NOT_EMULATED(cuvidCreateVideoParser)
NOT_EMULATED(cuvidCtxLock)
NOT_EMULATED(cuvidCtxLockCreate)
NOT_EMULATED(cuvidCtxLockDestroy)
NOT_EMULATED(cuvidCtxUnlock)
NOT_EMULATED(cuvidDecodePicture)
NOT_EMULATED(cuvidDestroyDecoder)
NOT_EMULATED(cuvidDestroyVideoParser)
NOT_EMULATED(cuvidGetDecoderCaps)
NOT_EMULATED(cuvidMapVideoFrame64)
NOT_EMULATED(cuvidParseVideoData)
NOT_EMULATED(cuvidUnmapVideoFrame64)

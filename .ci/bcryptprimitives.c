/* wine 8 lacks bcryptprimitives.dll, from which Rust's standard library imports this function. Windows has it. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T len) { return RtlGenRandom(data, (ULONG)len); }

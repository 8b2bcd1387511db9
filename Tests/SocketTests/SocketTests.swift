import TestSupport
import Testing

/// The proxy on real sockets: a whole `ProxyServer` in this process, replicas that record every byte, raw clients.
///
/// Serialized, because they measure memory and descriptors and use ports that other tests have released.
@Suite("Real sockets", .serialized, .onOneThread)
enum SocketTests {}

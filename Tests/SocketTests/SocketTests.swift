import Testing

/// The proxy on real sockets: a whole `ProxyServer` in this process, replicas that record every byte, raw clients.
///
/// One after another: they measure memory and descriptors, and a port that one test leaves is another's to take.
@Suite("Real sockets", .serialized)
enum SocketTests {}

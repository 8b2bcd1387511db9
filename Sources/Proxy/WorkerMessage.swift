package import TLS

/// What other threads may tell a worker.
package enum WorkerMessage: Sendable {
    /// A connection became free elsewhere: try the queue again.
    case capacityFreedElsewhere
    /// Somebody waits for a connection to this endpoint, and the bound is reached: close one that idles here.
    case idleEvictionRequested(server: Int)
    /// Stop accepting, finish what is under way; the worker leaves its loop when nothing is left.
    case drain
    /// End the standing event streams politely and leave when the output is out.
    case endStreams
    /// Leave now.
    case stop
    /// The context that a listener, by its plan, is to serve new connections with.
    case certificates(plan: Int, TLSContext)
    /// The context that new connections to the servers of an upstream are to be made with.
    case upstreamCertificates(upstream: Int, TLSClientContext)
}

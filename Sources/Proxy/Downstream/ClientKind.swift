import HTTP

/// What a client is. Only this folder asks: to all others, a stream is a client like any other.
enum ClientKind {
    case socket
    case http2Stream(HTTP2StreamState)
    /// The proxy itself: its request and what it wants with it are in `ClientConnections.internalRequests`.
    case internalRequest

    /// The stream's state; nil for a socket.
    var stream: HTTP2StreamState? {
        get { if case .http2Stream(let state) = self { state } else { nil } }
        set { if let newValue { self = .http2Stream(newValue) } }
    }
}

/// What a client that is an HTTP/2 stream has beside what every client has.
struct HTTP2StreamState {
    let id: Int32
    /// Request body bytes that have not been forwarded, for which the stream's window is still to be returned.
    var unreturnedWindow: UInt32 = 0
    /// The request body has no announced length: its bytes are framed as chunks.
    var framesChunks = false
    /// The final response head has gone to the HTTP/2 session.
    var hasHead = false
}

/// What the rules of a route say of the origin of a request.
enum OriginVerdict: Equatable {
    /// It has none, or one that is served and may not read.
    case served
    /// Pages of it may read the response: of the origins in `cors` this one.
    case mayRead(Int)
    /// Its pages may not ask.
    case refused
}

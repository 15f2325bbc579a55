@main struct Ridgeline { static func main() { print("x") } }

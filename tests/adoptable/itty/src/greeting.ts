export const greeting = (name: string): { message: string } => ({
  message: `Welcome, ${name}`,
});
